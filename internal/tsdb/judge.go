package tsdb

import (
	"errors"
	"fmt"
	"slices"

	"metricd/internal/chunk"
	"metricd/internal/tsdb/blocks"
)

// judge decodes chunks, in the order of their keys, and says what is wrong with where they lie.
type judge struct {
	eras    eras // none: not known
	decoder chunk.Decoder
	times   []int64
	values  []float64

	window int64
	id     uint64
	last   int64 // of the newest sample of the good chunks of this series in this window
	any    bool  // there was one
}

// errOverlap: a chunk begins before the one before it ends.
var errOverlap = errors.New("it overlaps the chunk before it")

// chunk returns the times of a chunk, valid until the next call; the values are then in j.values. Both are also there
// with errOverlap.
func (j *judge) chunk(w int64, id uint64, first int64, data []byte) ([]int64, error) {
	if w != j.window || id != j.id {
		j.window, j.id, j.any = w, id, false
	}
	var err error
	if j.times, j.values, err = j.decoder.Append(j.times[:0], j.values[:0], data); err != nil {
		return nil, err
	}
	last := j.times[len(j.times)-1]
	switch {
	case j.times[0] != first:
		return nil, fmt.Errorf("its first sample is at %s", timeText(j.times[0]))
	case first < w || len(j.eras) > 0 && (j.eras.first(first) != w || j.eras.first(last) != w):
		return nil, fmt.Errorf("its samples, up to %s, are not all of that window", timeText(last))
	case j.any && first <= j.last:
		return j.times, errOverlap
	}
	j.last, j.any = last, true
	return j.times, nil
}

// names are the keys of series by ascending id.
type names struct {
	ids  []uint64
	keys []string
}

// add adds a series whose id is above all others.
func (n *names) add(id uint64, key string) {
	n.ids = append(n.ids, id)
	n.keys = append(n.keys, key)
}

func (n *names) has(id uint64) bool {
	_, has := slices.BinarySearch(n.ids, id)
	return has
}

// text names a series as far as it is known.
func (n *names) text(id uint64) string {
	if i, has := slices.BinarySearch(n.ids, id); has {
		return "series " + n.keys[i]
	}
	return fmt.Sprintf("series number %d, whose key is not known", id)
}

// chunkText says which chunk.
func (n *names) chunkText(p blocks.Position) string {
	return fmt.Sprintf("%s, window from %s, chunk from %s", n.text(p.ID), timeText(p.Window), timeText(p.First))
}

// damage returns an error that also says what may be missing.
func (n *names) damage(d blocks.Damage) error {
	if d.Lost == nil {
		return d.Err
	}
	what, text := "chunks", n.chunkText
	if d.Lost.Series {
		what, text = "the keys of series", func(p blocks.Position) string { return n.text(p.ID) }
	}
	after, before := "the first", "the last"
	if d.Lost.After != nil {
		after = text(*d.Lost.After)
	}
	if d.Lost.Before != nil {
		before = text(*d.Lost.Before)
	}
	return fmt.Errorf("%w; missing may be %s between (%s) and (%s)", d.Err, what, after, before)
}
