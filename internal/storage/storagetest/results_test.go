package storagetest

import (
	"context"
	"math"
	"strconv"
	"strings"

	"metricd/internal/storage"
)

// refSet is the result of a reference's Select: the series as they were found then.
type refSet struct {
	s     *reference
	ctx   context.Context
	q     storage.Query
	found []*refSeries
	at    *refSeries
	err   error
}

func (set *refSet) Next() bool {
	if set.err == nil {
		set.err = set.s.err(set.ctx)
	}
	if set.err != nil || len(set.found) == 0 {
		return false
	}
	set.at, set.found = set.found[0], set.found[1:]
	return true
}

func (set *refSet) At() storage.Series { return refResult{set, set.at} }
func (set *refSet) Err() error         { return set.err }
func (set *refSet) Close()             { set.found = nil }

type refResult struct {
	set *refSet
	*refSeries
}

func (r refResult) Key() string            { return r.key }
func (r refResult) Labels() storage.Labels { return r.labels }

// Iterator copies the samples, so that it sees one moment.
func (r refResult) Iterator(storage.Iterator) storage.Iterator {
	s := r.set.s
	s.mu.Lock()
	defer s.mu.Unlock()
	samples := r.within(r.set.q)
	if s.samples != nil {
		samples = s.samples(samples)
	}
	return &refIterator{set: r.set, samples: samples, i: -1}
}

type refIterator struct {
	set     *refSet
	samples []sample
	i       int // the sample at hand; -1 before the first
	err     error
}

func (it *refIterator) Next() bool {
	if it.err == nil {
		it.err = it.set.s.err(it.set.ctx)
	}
	if it.err != nil || it.i >= len(it.samples) {
		return false
	}
	it.i++
	return it.i < len(it.samples)
}

func (it *refIterator) SkipTo(t int64) bool {
	for it.i < 0 || it.i < len(it.samples) && it.samples[it.i].t < t {
		if !it.Next() {
			return false
		}
	}
	return it.err == nil && it.i < len(it.samples)
}

func (it *refIterator) At() (t int64, v float64) {
	return it.samples[it.i].t, math.Float64frombits(it.samples[it.i].bits)
}

func (it *refIterator) Err() error { return it.err }

func (it *refIterator) AppendValue(dst []byte) []byte {
	_, v := it.At()
	if it.set.s.text != nil {
		return append(dst, it.set.s.text(v)...)
	}
	return append(dst, repr(v)...)
}

// repr is Python's repr(float).
func repr(v float64) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 0):
		return strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(v, 'g', -1, 64), "+"))
	case v != 0 && (math.Abs(v) < 1e-4 || math.Abs(v) >= 1e16):
		return strconv.FormatFloat(v, 'e', -1, 64)
	}
	text := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}
