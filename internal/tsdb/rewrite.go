package tsdb

import (
	"math"
	"slices"
)

// What changes chunks that are there: merging into them, and removing from them.

// rewrite replaces the chunks of a window from first on, which st no longer counts as open, by one or more that hold the samples, too.
func (c *compactor) rewrite(w int64, id uint64, st *stored, first int64, samples []entry) error {
	cur, err := c.cursor(id)
	if err != nil {
		return err
	}
	c.old = c.old[:0]
	for ok := cur.SeekTime(w, id, first); ok; ok = cur.Next() {
		if cur.First() < first {
			continue
		}
		if err := c.read(id); err != nil {
			return err
		}
		c.batch.DeleteChunk(w, id, cur.First())
		c.dirty = id
	}
	if err := cur.Err(); err != nil {
		return err
	}
	if st.open > 0 { // only pieces are merged; what is before stays open
		st.open -= uint16(min(len(c.old), int(st.open)))
	}
	c.merged = mergeSamples(c.merged[:0], c.old, samples)
	c.net[w] -= int64(len(c.old))
	return c.append(w, id, st, c.merged)
}

// insert merges late samples into the chunks of a window that begin before limit, and returns how many it took: all, or
// those that belong into chunks before the first that begins at limit or later.
func (c *compactor) insert(w int64, id uint64, samples []entry, limit int64) (placed int, err error) {
	if len(samples) == 0 {
		return 0, nil
	}
	cur, err := c.cursor(id)
	if err != nil {
		return 0, err
	}
	ok := cur.SeekTime(w, id, samples[0].t)
	if !ok && cur.Err() == nil { // there are none
		return len(samples), c.put(w, id, samples)
	}
	for ok && placed < len(samples) && cur.First() < limit {
		first := cur.First()
		full, err := c.readUnlessBefore(id, samples[placed].t)
		if err != nil {
			return 0, err
		}
		rest := samples[placed:]
		if ok = cur.Next(); ok {
			rest = rest[:search(rest, cur.First())]
		}
		if len(rest) == 0 {
			continue
		}
		if !full {
			c.batch.DeleteChunk(w, id, first)
			c.net[w] -= int64(len(c.old))
		}
		c.merged = mergeSamples(c.merged[:0], c.old, rest)
		if err := c.put(w, id, c.merged); err != nil {
			return 0, err
		}
		placed += len(rest)
		if !ok {
			return placed, cur.Err()
		}
	}
	return placed, cur.Err()
}

// readUnlessBefore reads the chunk at the cursor into c.old. If it is full and ends before t, it reads nothing
// and returns true.
func (c *compactor) readUnlessBefore(id uint64, t int64) (full bool, err error) {
	c.old = c.old[:0]
	head, err := c.header(id)
	if err != nil {
		return false, err
	}
	if head.Count >= c.chunk && head.Last < t {
		return true, nil
	}
	return false, c.read(id)
}

// read appends the samples of the chunk at the cursor to c.old.
func (c *compactor) read(id uint64) error {
	data, err := c.cur.Chunk()
	if err != nil {
		return err
	}
	if c.times, c.values, err = c.decoder.Append(c.times[:0], c.values[:0], data); err != nil {
		return c.damaged(id, err)
	}
	for i, t := range c.times {
		c.old = append(c.old, entry{t, math.Float64bits(c.values[i])})
	}
	return nil
}

// erase removes the samples of [mint, maxt] from the chunks of a series.
func (c *compactor) erase(id uint64, mint, maxt int64) error {
	cur, err := c.cursor(id)
	if err != nil {
		return err
	}
	for w, more := cur.FindWindowOf(id, c.state.eras.first(mint)); more && w <= maxt; w, more = cur.FindWindowOf(id, w+1) {
		for ok := cur.SeekTime(w, id, mint); ok && cur.First() <= maxt; ok = cur.Next() {
			c.old = c.old[:0]
			if err := c.read(id); err != nil {
				return err
			}
			n := len(c.old)
			c.merged = append(c.merged[:0], c.old...)
			c.merged = slices.DeleteFunc(c.merged, func(e entry) bool { return mint <= e.t && e.t <= maxt })
			if len(c.merged) == n {
				continue
			}
			c.batch.DeleteChunk(w, id, cur.First())
			c.dirty = id
			c.net[w] -= int64(n)
			if len(c.merged) > 0 {
				if err := c.put(w, id, c.merged); err != nil {
					return err
				}
			}
		}
	}
	return cur.Err()
}

// bury removes all that a series left behind. Its chunks go before its record, or with it: without a record nobody would look for them.
func (c *compactor) bury(d dead) error {
	if d.last > minInt64 && d.last >= c.dropped {
		if err := c.removeChunks(d.id); err != nil {
			return err
		}
	}
	c.batch.DeleteSeries(d.id)
	if c.batch.Len() < c.full {
		return nil
	}
	return c.commit()
}

// removeChunks removes all chunks of a series.
func (c *compactor) removeChunks(id uint64) error {
	cur, err := c.cursor(id)
	if err != nil {
		return err
	}
	for w, more := cur.FindWindowOf(id, minInt64); more; w, more = cur.FindWindowOf(id, w+1) {
		for ok := cur.SeekTime(w, id, minInt64); ok; ok = cur.Next() {
			head, err := c.header(id)
			if err != nil {
				return err
			}
			c.batch.DeleteChunk(w, id, cur.First())
			c.net[w] -= int64(head.Count)
		}
	}
	return cur.Err()
}
