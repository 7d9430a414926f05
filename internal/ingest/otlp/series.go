package otlp

import (
	"math"

	"metricd/internal/storage"
)

// dataPoint takes a data point of the metric at hand. why is why it is to be refused, if not taken.
func (w *work) dataPoint(b []byte, why reason) error {
	p := &w.point
	w.ident = append(w.ident[:0], w.prefix...)
	if !w.decodePoint(b) {
		return errUndecodable
	}
	w.earliest, w.latest = min(w.earliest, p.at), max(w.latest, p.at)
	switch {
	case why != taken:
	case p.long || len(p.bounds) > maxBuckets:
		why = manyBuckets
	case len(w.ident) > 3*w.maxKey: // an ident is twice as long as its key at most, but for labels without values
		why = longLabels
	}
	t := int64(p.at) / 1e6 // a time after 2262 is before 1970 to Prometheus
	if why != taken {
		w.refused.add(why, w.metric.name, t)
		return nil
	}
	need := 1
	if w.metric.kind > kindSum {
		need = len(p.bounds) + 3
	}
	if err := w.room(need); err != nil {
		return err
	}
	first := w.Len()
	switch why = w.series(t); why {
	case taken:
	case undecodable:
		return errUndecodable
	default:
		w.Cut(first)
		w.refused.add(why, w.metric.name, t)
		return nil
	}
	w.tell()
	if w.metric.kind == kindExponential && !p.stale {
		w.group(partly)
		w.refused.add(exponential, w.metric.name, t)
		return nil
	}
	w.group(whole)
	return nil
}

// series adds the rows of the point, of each series one, in the order in which Prometheus does.
func (w *work) series(t int64) reason {
	p := &w.point
	if w.metric.kind == kindGauge || w.metric.kind == kindSum {
		return w.part(plain, 0, t, p.value)
	}
	if p.hasSum {
		if why := w.part(sum, 0, t, p.sum); why != taken {
			return why
		}
	}
	if why := w.part(count, 0, t, float64(p.count)); why != taken {
		return why
	}
	switch w.metric.kind {
	case kindHistogram:
		return w.buckets(t)
	case kindSummary:
		for i, q := range p.bounds {
			if why := w.part(quantile, q, t, p.values[i]); why != taken {
				return why
			}
		}
	}
	return taken
}

// buckets adds the rows of the buckets of a histogram. That without a bound holds all that was counted.
func (w *work) buckets(t int64) reason {
	p := &w.point
	below := uint64(0)
	for i := range min(len(p.bounds), len(p.counts)) {
		below += p.counts[i]
		if math.IsInf(p.bounds[i], 1) {
			continue
		}
		if why := w.part(bucket, p.bounds[i], t, float64(below)); why != taken {
			return why
		}
	}
	return w.part(bucket, math.Inf(1), t, float64(p.count))
}

// part adds the row of one series of the point, at t ms.
func (w *work) part(which suffix, bound float64, t int64, v float64) reason {
	ident := appendSuffix(w.ident, which, bound)
	w.ident = ident[:len(w.ident)]
	why := w.find(ident)
	if w.point.stale {
		v = math.Float64frombits(storage.StaleNaN)
	}
	if why == taken {
		w.Add(t, v)
	}
	return why
}

// tell passes on what is known of the metric at hand, once.
func (w *work) tell() {
	if d := &w.metric; w.meta != nil && !d.told {
		w.meta.Tell(d.family.bytes, d.family.kind, d.help, d.family.unit)
		d.told = true
	}
}
