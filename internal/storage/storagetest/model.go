package storagetest

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"metricd/internal/storage"
)

// model is what a store must look like from outside: a list of series, each a map. It is
// slow and obvious.
type model struct {
	series []*modelSeries // in order of first append
	counts storage.Stats  // the figures since Open
}

type modelSeries struct {
	key     string // first spelling
	labels  storage.Labels
	samples map[int64]uint64 // time to value bits
}

// append takes r, or returns the error of its refusal.
func (m *model) append(r row) error {
	labels := storage.ParseKey(r.key)
	switch {
	case len(labels) == 0:
		m.counts.Refused++
		return storage.ErrKey
	case r.t < storage.MinTime || r.t > storage.MaxTime:
		m.counts.Refused++
		return storage.ErrTimeRange
	}
	s := m.find(labels)
	if s == nil {
		s = &modelSeries{r.key, labels, map[int64]uint64{}}
		m.series = append(m.series, s)
	}
	m.counts.Appended++
	if _, ok := s.samples[r.t]; ok {
		m.counts.Overwritten++
	}
	for t := range s.samples {
		if t > r.t {
			m.counts.Late++
			break
		}
	}
	s.samples[r.t] = math.Float64bits(r.v)
	return nil
}

// find returns the series with these labels, nil if there is none.
func (m *model) find(labels storage.Labels) *modelSeries {
	for _, s := range m.series {
		if s.labels.Equal(labels) {
			return s
		}
	}
	return nil
}

// read returns what Select gives for q, read to the end.
func (m *model) read(q storage.Query) []series {
	var all []series
	for _, s := range m.series {
		if q.Key != "" && !s.labels.Equal(storage.ParseKey(q.Key)) || !storage.MatchAll(q.Matchers, s.labels) {
			continue
		}
		var samples []sample
		for _, t := range slices.Sorted(maps.Keys(s.samples)) {
			if q.Mint <= t && t <= q.Maxt {
				samples = append(samples, sample{t, s.samples[t]})
			}
		}
		if len(samples) > 0 {
			all = append(all, series{s.key, s.labels, samples})
		}
	}
	return all
}

// delete removes what read gives, and the series that it emptied.
func (m *model) delete(q storage.Query) {
	for _, found := range m.read(q) {
		s := m.find(found.labels)
		for _, p := range found.samples {
			delete(s.samples, p.t)
		}
	}
	m.series = slices.DeleteFunc(m.series, func(s *modelSeries) bool { return len(s.samples) == 0 })
}

// labelNames and labelValues return what the store's methods do.
func (m *model) labelNames(q storage.Query) []string {
	names := map[string]bool{}
	for _, s := range m.read(q) {
		for _, l := range s.labels {
			names[l.Name] = true
		}
	}
	return limit(names, q)
}

func (m *model) labelValues(name string, q storage.Query) []string {
	values := map[string]bool{}
	for _, s := range m.read(q) {
		if v := s.labels.Get(name); v != "" {
			values[v] = true
		}
	}
	return limit(values, q)
}

// limit returns the first of texts.
func limit(texts map[string]bool, q storage.Query) []string {
	sorted := slices.Sorted(maps.Keys(texts))
	if q.Limit > 0 && q.Limit < len(sorted) {
		return sorted[:q.Limit]
	}
	return sorted
}

func (m *model) stats() storage.Stats {
	st := m.counts
	st.Series = int64(len(m.series))
	for _, s := range m.series {
		st.Samples += int64(len(s.samples))
	}
	return st
}

// diffRefused compares the refusals of rows with those of the model.
func diffRefused(got []storage.Refusal, want []error) error {
	for i, err := range want {
		if err == nil {
			continue
		}
		if len(got) == 0 || got[0].Row != i || !errors.Is(got[0].Err, err) {
			return fmt.Errorf("refusals %v, want row %d next: %w", got, i, err)
		}
		got = got[1:]
	}
	if len(got) > 0 {
		return fmt.Errorf("refused, but valid: %v", got)
	}
	return nil
}
