package otlp

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

const (
	// maxResource is how many bytes a Resource may have.
	maxResource = 64 << 10
	// maxResources is how many resources a work remembers, and maxKnown how many bytes each may have for that.
	maxResources = 1024
	maxKnown     = 4096

	targetInfo = "target_info"
	// infoStep is how far samples of target_info lie apart, in ns: half of the time that PromQL looks back.
	infoStep = 150e9
	// maxInfos is how many samples of target_info a request may bring, beside one for each resource: those of four weeks.
	maxInfos = 1 << 14
)

// identifying are the attributes of a resource that name it.
var identifying = []string{"service.namespace", "service.name", "service.instance.id"}

// identity returns the labels job and instance of a resource.
func identity(attrs pcommon.Map) (job, instance string) {
	if name, ok := attrs.Get("service.name"); ok {
		job = name.AsString()
		if space, ok := attrs.Get("service.namespace"); ok {
			job = space.AsString() + "/" + job
		}
	}
	if id, ok := attrs.Get("service.instance.id"); ok {
		instance = id.AsString()
	}
	return job, instance
}

// resource is what a Resource is to its series.
type resource struct {
	job, instance string
	noInfo        bool   // it has no target_info
	why           reason // all of it is to be refused, if not taken
}

// resources remembers them by their bytes. The zero value is ready; it is for one goroutine.
type resources struct {
	known map[string]*resource
}

// get returns the resource that raw spells.
func (r *resources) get(raw []byte) *resource {
	if known, ok := r.known[string(raw)]; ok {
		return known
	}
	if len(raw) > maxResource {
		return &resource{why: longLabels}
	}
	attrs, ok := attributes(raw)
	if !ok {
		return &resource{why: undecodable}
	}
	var one resource
	one.job, one.instance = identity(attrs)
	if len(raw) <= maxKnown {
		if len(r.known) >= maxResources || r.known == nil {
			r.known = make(map[string]*resource)
		}
		r.known[string(raw)] = &one
	}
	return &one
}

// targetInfo adds the rows of target_info of the resource at hand, which raw spells, if it had points.
func (w *work) targetInfo(raw []byte) error {
	if w.earliest == math.MaxUint64 || w.resource.noInfo || w.resource.why != taken {
		return nil
	}
	first, last := int64(w.earliest), int64(w.latest)
	steps := 0
	if first < last {
		steps = int(min((last-1-first)/infoStep+1, int64(w.infos)))
		w.infos -= steps
	}
	first += (last - 1 - first) / infoStep * infoStep // the last step
	before := int64(math.MinInt64)
	for i := steps - 1; i >= 0; i-- {
		before = floorMs(first - int64(i)*infoStep)
		if more, err := w.targetInfoAt(raw, before); err != nil || !more {
			return err
		}
	}
	if at := floorMs(last); at != before {
		if more, err := w.targetInfoAt(raw, at); err != nil || !more {
			return err
		}
	}
	if w.meta != nil {
		w.meta.Tell([]byte(targetInfo), "gauge", []byte("Target metadata"), nil)
	}
	return nil
}

// targetInfoAt adds a row at t ms, and says whether others may follow.
func (w *work) targetInfoAt(raw []byte, t int64) (more bool, err error) {
	if err := w.room(1); err != nil {
		return false, err
	}
	w.ident = append(w.ident[:0], 0, 0, 0) // no name
	w.ident = appendSuffix(append(w.ident, raw...), plain, 0)
	switch why := w.find(w.ident); why {
	case taken:
		w.Add(t, 1)
		w.group(info)
		return true, nil
	case nothing:
		w.resource.noInfo = true
	case undecodable:
		return false, errUndecodable
	default:
		w.refused.addInfo(why, []byte(targetInfo), t)
	}
	return false, nil
}

// floorMs returns in which ms a time in ns lies.
func floorMs(ns int64) int64 {
	ms := ns / 1e6
	if ns%1e6 < 0 {
		ms--
	}
	return ms
}
