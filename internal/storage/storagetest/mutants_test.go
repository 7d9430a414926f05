package storagetest

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"metricd/internal/storage"
)

// mutant is a store with one wrong behaviour, and what must find it.
type mutant struct {
	name   string
	check  string // Topic/Check
	random bool   // the random comparison must find it, too
	open   func() storage.Store
}

// hooked makes a reference with hooks.
func hooked(h hooks) func() storage.Store {
	return func() storage.Store {
		s := newReference()
		s.hooks = h
		return s
	}
}

// values makes a reference that changes the values it takes.
func values(change func(v float64) float64) func() storage.Store {
	return hooked(hooks{row: func(_ *reference, r *storage.Row) { r.V = change(r.V) }})
}

// queries makes a reference that changes its queries.
func queries(change func(q *storage.Query)) func() storage.Store {
	return hooked(hooks{query: changed(change)})
}

func deletes(change func(q *storage.Query)) func() storage.Store {
	return hooked(hooks{del: changed(change)})
}

func changed(change func(q *storage.Query)) func(storage.Query) storage.Query {
	return func(q storage.Query) storage.Query {
		change(&q)
		return q
	}
}

func figures(change func(st *storage.Stats)) func() storage.Store {
	return hooked(hooks{stats: change})
}

// results makes a reference that changes what it found.
func results(change func(q storage.Query, found []*refSeries) []*refSeries) func() storage.Store {
	return hooked(hooks{result: change})
}

func mutants() []mutant {
	return slices.Concat(writingMutants(), readingMutants(), deletingMutants(), callingMutants(), documentMutants())
}

func writingMutants() []mutant {
	return []mutant{
		{"KeepsFirstWrite", "Writes/LastWriteWins", true, hooked(hooks{row: keepFirst})},
		{"KeepsLargerOfEqualTimes", "Writes/LastWriteWins", true, hooked(hooks{row: keepLarger})},
		{"RefusesOld", "Writes/OverwriteAtAnyAge", false, hooked(hooks{row: refuseOld})},
		{"DropsNegativeZero", "Values/Bits", true, values(func(v float64) float64 { return v + 0 })},
		{"OneNaN", "Values/Bits", true, values(func(v float64) float64 {
			if math.IsNaN(v) {
				return math.NaN()
			}
			return v
		})},
		{"FlushesSubnormals", "Values/Bits", true, values(func(v float64) float64 {
			if math.Abs(v) < 0x1p-1022 {
				return math.Copysign(0, v)
			}
			return v
		})},
		{"GoFormat", "Values/Text", false, hooked(hooks{text: func(v float64) string { return fmt.Sprint(v) }})},
		{"RefusesMaxTime", "Refusals/ExtremeTimes", true, hooked(hooks{row: func(_ *reference, r *storage.Row) {
			if r.T == storage.MaxTime {
				r.T++
			}
		}})},
		{"ClampsTimes", "Refusals/TimeRange", true, hooked(hooks{row: func(_ *reference, r *storage.Row) {
			r.T = min(max(r.T, storage.MinTime), storage.MaxTime)
		}})},
		{"TakesEmptyKey", "Refusals/EmptyKey", true, hooked(hooks{row: func(_ *reference, r *storage.Row) {
			if len(r.Key) == 0 {
				r.Key = []byte(";")
			}
		}})},
		{"RefusedMakesSeries", "Refusals/NoSeries", true, hooked(hooks{refused: func(s *reference, r storage.Row) {
			if len(r.Key) > 0 {
				s.seriesLocked(string(r.Key))
			}
		}})},
		{"CanonicalKeys", "Keys/FirstSpelling", true, hooked(hooks{born: func(_ *reference, x *refSeries) {
			x.key = string(storage.AppendKey(nil, x.labels))
		}})},
		{"LastSpelling", "Keys/TagOrder", true, hooked(hooks{row: func(s *reference, r *storage.Row) {
			if x := s.series[string(storage.AppendCanonical(nil, r.Key))]; x != nil {
				x.key = string(r.Key)
			}
		}})},
		{"SeriesBySpelling", "Keys/TagOrder", true, hooked(hooks{row: bySpelling})},
		{"OldPlaceInSecondLife", "Order/SecondLife", true, oldPlace},
		{"CoarseTimes", "Writes/LastWriteWins", true, hooked(hooks{row: func(_ *reference, r *storage.Row) { r.T &^= 1 }})},
		{"MergesLongKeys", "Keys/Long", false, hooked(hooks{row: func(_ *reference, r *storage.Row) { r.Key = r.Key[:min(len(r.Key), 1024)] }})},
	}
}

func keepFirst(s *reference, r *storage.Row) {
	if x := s.series[string(storage.AppendCanonical(nil, r.Key))]; x != nil {
		if v, ok := x.samples[r.T]; ok {
			r.V = v
		}
	}
}

func keepLarger(s *reference, r *storage.Row) {
	v := r.V
	if keepFirst(s, r); r.V < v {
		r.V = v
	}
}

func refuseOld(s *reference, r *storage.Row) {
	const age = 3_000 * 86_400_000
	if x := s.series[string(storage.AppendCanonical(nil, r.Key))]; x != nil && r.T < x.newest-age {
		r.Key = nil
	}
}

// bySpelling makes a tag order of its own series by a label that tells it.
func bySpelling(_ *reference, r *storage.Row) {
	if canonical := storage.AppendCanonical(nil, r.Key); string(canonical) != string(r.Key) {
		r.Key = append([]byte(nil), strings.TrimSuffix(string(r.Key), ";")+";spelled=so"...)
	}
}

func oldPlace() storage.Store {
	births := map[string]int64{}
	return hooked(hooks{born: func(_ *reference, x *refSeries) {
		id := string(storage.AppendKey(nil, x.labels))
		if old, ok := births[id]; ok {
			x.birth = old
		}
		births[id] = x.birth
	}})()
}

func readingMutants() []mutant {
	return []mutant{
		{"OrdersByName", "Order/FirstPut", true, results(func(_ storage.Query, found []*refSeries) []*refSeries {
			slices.SortFunc(found, func(a, b *refSeries) int { return cmp.Compare(a.key, b.key) })
			return found
		})},
		{"ExclusiveMaxt", "Ranges/Inclusive", true, queries(func(q *storage.Query) { q.Maxt = max(q.Maxt, math.MinInt64+1) - 1 })},
		{"ExclusiveMint", "Ranges/Inclusive", true, queries(func(q *storage.Query) { q.Mint = min(q.Mint, math.MaxInt64-1) + 1 })},
		{"SwapsRange", "Ranges/Empty", true, queries(func(q *storage.Query) { q.Mint, q.Maxt = min(q.Mint, q.Maxt), max(q.Mint, q.Maxt) })},
		{"WholeSeriesInRange", "Ranges/Gap", true, queries(func(q *storage.Query) { q.Mint, q.Maxt = math.MinInt64, math.MaxInt64 })},
		{"AbsentLabelNeverMatches", "Matchers/Table", true, results(func(q storage.Query, found []*refSeries) []*refSeries {
			return slices.DeleteFunc(found, func(x *refSeries) bool {
				return slices.ContainsFunc(q.Matchers, func(m storage.Matcher) bool { return x.labels.Get(m.Name) == "" })
			})
		})},
		{"FirstMatcherOnly", "Matchers/Table", true, queries(func(q *storage.Query) { q.Matchers = q.Matchers[:min(1, len(q.Matchers))] })},
		{"KeyWithoutMatchers", "Keys/KeyWithMatchers", true, queries(func(q *storage.Query) {
			if q.Key != "" {
				q.Matchers = nil
			}
		})},
		{"UnanchoredRegexp", "Matchers/Table", true, queries(unanchored)},
		{"PrefixForWholeRegexp", "Matchers/AgainstScan", false, queries(onlyPrefix)},
		{"RegexpForgetsFlags", "Matchers/AgainstScan", false, queries(noFlags)},
		{"OldSeriesOnly", "Matchers/NewSeries", true, oldSeriesOnly},
		{"LimitsSelect", "Labels/Limit", false, results(func(q storage.Query, found []*refSeries) []*refSeries {
			if q.Limit > 0 && q.Matchers != nil {
				return found[:min(q.Limit, len(found))]
			}
			return found
		})},
		{"NoLimit", "Labels/Limit", false, queries(func(q *storage.Query) { q.Limit = 0 })},
		{"TimeTwice", "Writes/LastWriteWins", true, hooked(hooks{samples: func(samples []sample) []sample {
			if len(samples) > 1 {
				return slices.Insert(samples, 1, samples[0])
			}
			return samples
		}})},
		{"Descending", "Writes/AnyOrderOfArrival", true, hooked(hooks{samples: func(samples []sample) []sample {
			slices.Reverse(samples)
			return samples
		}})},
		{"SkipToBackwards", "Iterators/SkipToMixed", true, iterators(func(it refIterator) storage.Iterator { return &backwards{it} })},
		{"SkipToBeyond", "Iterators/SkipTo", true, iterators(func(it refIterator) storage.Iterator { return &beyond{it} })},
		{"OneIterator", "Iterators/Twice", false, oneIterator},
		{"SnapshotAtSelect", "Iterators/AsOfIterator", false, snapshotAtSelect},
		{"EndlessReader", "Stalled/GrowingSeries", false, iterators(func(it refIterator) storage.Iterator { return &endless{it} })},
		{"ReaderBlocksWriters", "Stalled/WritersGoOn", false, func() storage.Store { return &locking{reference: newReference()} }},
	}
}

func unanchored(q *storage.Query) {
	q.Matchers = slices.Clone(q.Matchers)
	for i, m := range q.Matchers {
		if m.Type == storage.MatchRegexp || m.Type == storage.MatchNotRegexp {
			q.Matchers[i] = matcher(m.Name + m.Type.String() + ".*(" + m.Value + ").*")
		}
	}
}

// onlyPrefix takes what is behind the first .* of a regular expression for .*, too.
func onlyPrefix(q *storage.Query) {
	q.Matchers = slices.Clone(q.Matchers)
	for i, m := range q.Matchers {
		if prefix, _, ok := strings.Cut(m.Value, ".*"); ok && prefix != "" && m.Type == storage.MatchRegexp && !strings.ContainsAny(m.Value, "()|[") {
			q.Matchers[i] = matcher(m.Name + "=~" + prefix + ".*")
		}
	}
}

func noFlags(q *storage.Query) {
	q.Matchers = slices.Clone(q.Matchers)
	for i, m := range q.Matchers {
		q.Matchers[i] = matcher(m.Name + m.Type.String() + strings.TrimPrefix(m.Value, "(?i)"))
	}
}

// oldSeriesOnly finds by a matcher only the series that were there at the first query with one.
func oldSeriesOnly() storage.Store {
	newest := int64(-1)
	s := newReference()
	s.result = func(q storage.Query, found []*refSeries) []*refSeries {
		if len(q.Matchers) == 0 {
			return found
		}
		if newest < 0 {
			newest = s.births
		}
		return slices.DeleteFunc(found, func(x *refSeries) bool { return x.birth > newest })
	}
	return s
}

func deletingMutants() []mutant {
	return []mutant{
		{"ShowsDeleted", "Delete/All", true, deletes(func(q *storage.Query) { q.Mint, q.Maxt = 1, 0 })},
		{"DeletesWholeSeries", "Delete/ByRange", true, deletes(func(q *storage.Query) {
			if q.Mint <= q.Maxt {
				q.Mint, q.Maxt = math.MinInt64, math.MaxInt64
			}
		})},
		{"DeleteIgnoresMatchers", "Delete/ByMatcher", true, deletes(func(q *storage.Query) { q.Matchers = nil })},
		{"DeleteIgnoresKey", "Delete/ByKey", true, deletes(func(q *storage.Query) { q.Key = "" })},
		{"LastingTombstone", "Delete/PutAgain", true, lastingTombstone},
		{"KeepsEmptySeries", "Stats/Delete", true, func() storage.Store { return &keepsEmpty{newReference()} }},
		{"RememberedSeries", "Lives/RememberedByAppender", true, func() storage.Store { return &remembering{newReference()} }},
		{"DeleteByHalf", "Context/DeleteNotByHalf", false, func() storage.Store { return &byHalf{newReference()} }},
	}
}

func lastingTombstone() storage.Store {
	var gone []storage.Query
	return hooked(hooks{
		del: func(q storage.Query) storage.Query {
			gone = append(gone, q)
			return q
		},
		row: func(s *reference, r *storage.Row) {
			labels := storage.ParseKey(string(r.Key))
			for _, q := range gone {
				if q.Key != "" && q.Mint <= r.T && r.T <= q.Maxt && labels.Equal(storage.ParseKey(q.Key)) {
					r.Key = nil
				}
			}
		},
	})()
}

func callingMutants() []mutant {
	return []mutant{
		{"ForgetsRefusals", "Refusals/EmptyKey", true, func() storage.Store {
			return &appending{newReference(), func(inner storage.Appender, b *storage.Batch) (storage.Seq, error) {
				seq, err := inner.Append(b)
				b.Refused = nil
				return seq, err
			}}
		}},
		{"KeepsOldRefusals", "Refusals/Reset", true, func() storage.Store {
			return &appending{newReference(), func(inner storage.Appender, b *storage.Batch) (storage.Seq, error) {
				old := slices.Clone(b.Refused)
				seq, err := inner.Append(b)
				b.Refused = append(old, b.Refused...)
				return seq, err
			}}
		}},
		{"RefusesWholeBatch", "Refusals/OthersTaken", true, func() storage.Store { return &appending{newReference(), refuseAll} }},
		{"KeepsKeyBytes", "Writes/KeyBytes", true, func() storage.Store { return &lazy{reference: newReference()} }},
		{"SameSeq", "Durability/Ascending", false, func() storage.Store {
			return &appending{newReference(), func(inner storage.Appender, b *storage.Batch) (storage.Seq, error) {
				_, err := inner.Append(b)
				return 1, err
			}}
		}},
		{"OpenAfterClose", "Close/EveryMethod", false, func() storage.Store { return &neverClosed{newReference()} }},
		{"ClosedAsEnd", "Close/OpenSet", false, func() storage.Store { return &quietEnd{newReference()} }},
		{"CancelledAsEnd", "Context/CancelledInSet", false, func() storage.Store { return &quietEnd{newReference()} }},
		{"IgnoresContext", "Context/DoneBefore", false, func() storage.Store { return &deaf{newReference()} }},
		{"LabelsOfAllTimes", "Labels/Values", true, func() storage.Store { return &allTimes{newReference()} }},
		{"LabelsUnsorted", "Labels/Names", true, func() storage.Store { return &unsorted{newReference()} }},
		{"AbsentIsValue", "Labels/Values", true, func() storage.Store { return &absentValue{newReference()} }},
		{"CountsEqualAsLate", "Stats/Counts", true, figures(func(st *storage.Stats) { st.Late += st.Overwritten })},
		{"CountsRefusedAsAppended", "Stats/Refused", true, figures(func(st *storage.Stats) { st.Appended += st.Refused })},
		{"CountsOverwritesAsSamples", "Stats/Counts", true, figures(func(st *storage.Stats) { st.Samples += st.Overwritten })},
		{"AppliesLater", "Concurrency/ReadYourWrite", true, func() storage.Store { return &later{reference: newReference()} }},
	}
}

func refuseAll(inner storage.Appender, b *storage.Batch) (storage.Seq, error) {
	for _, r := range b.Rows {
		if len(r.Key) == 0 || r.T < storage.MinTime || r.T > storage.MaxTime {
			for i := range b.Rows {
				b.Rows[i].Key = nil
			}
			break
		}
	}
	return inner.Append(b)
}

// forever is the context of mutants that ignore theirs.
var forever = context.Background()
