package httpapi

import (
	"context"
	"math"

	"metricd/internal/storage"
)

const (
	// stretches is how many points a sparkline has, and one for the newest sample.
	stretches = 40
	// pageWeight is what a series of an answer counts for, see held.
	pageWeight = seriesWeight + stretches
)

// point is a sample.
type point struct {
	t int64 // ms
	v float64
}

// pageSeries is a series as a page shows it.
type pageSeries struct {
	key    string
	labels storage.Labels
	points []point // by time, the oldest and the newest sample among them; empty: there are only marks of staleness
}

// read reads what is shown of some series. Those that ended meanwhile are left out.
func (b *browser) read(list []storage.Found) ([]pageSeries, error) {
	var all []pageSeries
	for _, f := range list {
		x := extent{ctx: b.ctx, store: b.samples, names: b.names, key: f.Key}
		first, last, ok, err := x.find()
		if err != nil {
			return nil, err
		}
		s := pageSeries{key: f.Key, labels: storage.ParseKey(f.Key)}
		if ok {
			if s.points, err = x.sparkline(first, last); err != nil {
				return nil, err
			}
		} else if there, err := x.there(); err != nil || !there {
			if err != nil {
				return nil, err
			}
			continue
		}
		all = append(all, s)
	}
	return all, nil
}

// extent looks for samples of one series; marks of staleness are none.
type extent struct {
	ctx   context.Context
	store storage.Store
	names storage.Browser
	key   string
	it    storage.Iterator // memory
}

func isStale(v float64) bool { return math.Float64bits(v) == storage.StaleNaN }

// each visits the samples of [mint, maxt], marks included, until visit returns false.
func (x *extent) each(mint, maxt int64, visit func(point) bool) error {
	set := x.store.Select(x.ctx, storage.Query{Key: x.key, Mint: mint, Maxt: maxt})
	defer set.Close()
	if !set.Next() {
		return set.Err()
	}
	x.it = set.At().Iterator(x.it)
	for x.it.Next() {
		if t, v := x.it.At(); !visit(point{t, v}) {
			return nil
		}
	}
	return x.it.Err()
}

// there says whether the series exists.
func (x *extent) there() (is bool, err error) {
	err = x.each(storage.MinTime, storage.MaxTime, func(point) bool {
		is = true
		return false
	})
	return is, err
}

// oldest returns the oldest sample of [mint, maxt].
func (x *extent) oldest(mint, maxt int64) (p point, ok bool, err error) {
	err = x.each(mint, maxt, func(at point) bool {
		p, ok = at, !isStale(at.v)
		return !ok
	})
	return p, ok, err
}

// find returns the oldest and the newest sample.
func (x *extent) find() (first, last point, ok bool, err error) {
	first, ok, err = x.oldest(storage.MinTime, storage.MaxTime)
	if err != nil || !ok {
		return first, last, false, err
	}
	t, found, err := x.names.Newest(x.ctx, x.key)
	if err != nil {
		return first, last, false, err
	}
	if !found {
		return first, first, true, nil // it ended just now
	}
	last, err = x.newest(first, max(t, first.t))
	return first, last, true, err
}

// newest returns the newest sample, which is first or a later one. It is looked for at t and behind, where it nearly always is; then in stretches before t that
// double in length; and in the first of these that has one by halves.
func (x *extent) newest(first point, t int64) (last point, err error) {
	last = first
	p, ok, err := x.oldest(t, storage.MaxTime)
	for length := uint64(1); err == nil && !ok && t > first.t; length *= 2 {
		from := first.t
		if uint64(t)-uint64(first.t) > length {
			from = t - int64(length)
		}
		if p, ok, err = x.oldest(from, t-1); !ok {
			t = from
		}
	}
	if err != nil || !ok {
		return last, err
	}
	if p.t < t { // it was found before t, and there is nothing from t on
		return x.newestWithin(p, t-1)
	}
	return x.newestWithin(p, storage.MaxTime)
}

// mostSteps is how many samples are gone through one by one before halves are looked at.
const mostSteps = 64

// newestWithin returns the newest sample up to high, which is p or behind it.
func (x *extent) newestWithin(p point, high int64) (point, error) {
	for low := p.t; ; {
		steps := 0
		err := x.each(low+1, high, func(at point) bool {
			if steps++; !isStale(at.v) {
				p = at
			}
			return steps < mostSteps
		})
		if err != nil || steps < mostSteps {
			return p, err
		}
		mid := int64(uint64(low) + (uint64(high)-uint64(low))/2) // above low: there are samples between them
		later, ok, err := x.oldest(mid, high)
		switch {
		case err != nil:
			return p, err
		case ok:
			p, low = later, later.t
		default:
			high, low = mid-1, p.t
		}
	}
}

// sparkline returns the first sample of each of some equal stretches from first to last, and last.
func (x *extent) sparkline(first, last point) (points []point, err error) {
	points = append(make([]point, 0, stretches+1), first)
	length := (uint64(last.t)-uint64(first.t))/stretches + 1
	for i := uint64(1); i < stretches && err == nil; i++ {
		if i*length > uint64(last.t)-uint64(first.t) {
			break
		}
		from := int64(uint64(first.t) + i*length)
		var p point
		var ok bool
		if p, ok, err = x.oldest(from, min(int64(uint64(from)+length-1), last.t-1)); ok {
			points = append(points, p)
		}
	}
	if last.t > first.t {
		points = append(points, last)
	}
	return points, err
}
