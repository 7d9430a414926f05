package tsdb

import (
	"fmt"

	"metricd/internal/chunk"
	"metricd/internal/tsdb/blocks"
)

// How samples become chunks. A full chunk has fullChunk samples or more, up to twice as many: with
// more, a get of few samples would decode many. What a flush brings of a series is seldom so
// much. It is written as a piece, a small chunk behind the others. When the open chunks, those that
// are not full, have enough samples together with what is new, they are merged into a full one;
// when there are maxPieces pieces, these are merged into one open chunk. So a sample that came in
// order is encoded three times at most: in a piece, in an open chunk, in a full one.
//
//	full chunks      open chunks
//	[840][560][900]  [150][140] [25][25][24]
//	                 openFirst  pieceFirst
//
// 512 samples, since a flush of 10,000 series brings 840 of each: with 1,024 half of them were encoded twice, for 2 % fewer bytes
// at best.
const (
	fullChunk = 512
	maxPieces = 12
)

// compactor merges samples into the chunks of blocks. It changes chunks by batch, and reads them by cur, which
// sees what was committed.
type compactor struct {
	store   *blocks.Store
	batch   *blocks.Batch
	cur     *blocks.Cursor
	net     map[int64]int64 // by window, samples added less those removed
	state   state           // as the last commit left it
	dirty   uint64          // the series with changes since the last commit that was changed last
	dropped int64           // retention has dropped all chunks before this, ms
	full    int             // bytes at which the batch is committed
	chunk   int             // samples of a full chunk

	named      []named // of this batch
	namedBytes int

	encoder chunk.Encoder
	decoder chunk.Decoder
	times   []int64
	values  []float64
	data    []byte
	old     []entry
	merged  []entry
}

// named is a series whose record the batch lacks. Records come behind chunks in blocks, and so they do in the batch: it need
// not be sorted.
type named struct {
	id  uint64
	key string
}

// maxBatch is the size of batches: large enough for blocks to make a table of each, without copying it into a
// memtable, and small enough that three of them take little memory. A round adds at most half a MiB.
const maxBatch = blocks.LargeBatch

func (c *compactor) begin(store *blocks.Store, batch *blocks.Batch, o *Options) {
	c.store, c.batch, c.dirty, c.full, c.chunk = store, batch, 0, o.batchBytes, o.chunkSamples
	c.net = make(map[int64]int64)
	c.named, c.namedBytes = c.named[:0], 0
}

// round writes what a round has of each series. It becomes visible when there is enough for a batch: committed then.
func (c *compactor) round(series []copied) (committed bool, err error) {
	for i := range series {
		if err := c.series(&series[i]); err != nil {
			return false, err
		}
	}
	if c.batch.Len()+c.namedBytes < c.full {
		return false, nil
	}
	return true, c.commit()
}

// complete says that all up to a sequence is in chunks.
func (c *compactor) complete(lastID, flushed uint64) error {
	old := c.state
	c.state.lastID, c.state.flushed = lastID, flushed
	if err := c.commit(); err != nil {
		c.state.lastID, c.state.flushed = old.lastID, old.flushed
		return err
	}
	return nil
}

// end releases the cursor.
func (c *compactor) end() {
	if c.cur != nil {
		_ = c.cur.Close() // its errors were seen
		c.cur = nil
	}
}

// commit makes the changes visible.
func (c *compactor) commit() error {
	c.end()
	c.dirty = 0
	for _, s := range c.named {
		c.data = appendSeries(c.data[:0], s.key)
		c.batch.PutSeries(s.id, c.data)
	}
	c.named, c.namedBytes = c.named[:0], 0
	was := c.state.samples
	for w, net := range c.net {
		n, err := c.store.Count(w)
		if err != nil {
			return err
		}
		if int64(n)+net < 0 {
			return fmt.Errorf("%w: the window at %d ms counts %d samples, and had %d more", blocks.ErrDamaged, w, n, -net-int64(n))
		}
		c.batch.SetCount(w, n+uint64(net))
		c.state.samples += net
	}
	c.batch.SetState(c.state.encode())
	if err := c.batch.Commit(); err != nil {
		c.state.samples = was
		return err
	}
	clear(c.net)
	return nil
}

// cursor returns a cursor that sees all changes of a series.
func (c *compactor) cursor(id uint64) (*blocks.Cursor, error) {
	if c.dirty == id {
		if err := c.commit(); err != nil {
			return nil, err
		}
	}
	if c.cur == nil {
		var err error
		if c.cur, err = c.store.NewCursor(); err != nil {
			return nil, err
		}
	}
	return c.cur, nil
}

// series writes what a flush has of a series, and brings s.stored up to date.
func (c *compactor) series(s *copied) error {
	if s.key != "" {
		c.named = append(c.named, named{s.id, s.key})
		c.namedBytes += len(s.key)
	}
	if s.stored.known == unknown {
		if err := c.learn(s.id, &s.stored); err != nil {
			return err
		}
	}
	if len(s.erased) > 0 && s.stored.known != noChunks {
		for _, e := range s.erased {
			if err := c.erase(s.id, e.mint, e.maxt); err != nil {
				return err
			}
		}
		if err := c.learn(s.id, &s.stored); err != nil {
			return err
		}
	}
	for rest := s.samples; len(rest) > 0; {
		w, end := c.state.eras.window(rest[0].t)
		n := search(rest, end)
		if err := c.add(w, s.id, &s.stored, rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// learn finds out what is stored of a series.
func (c *compactor) learn(id uint64, st *stored) error {
	*st = stored{}
	cur, err := c.cursor(id)
	if err != nil {
		return err
	}
	if _, found := cur.FindLastWindowOf(id); !found {
		return cur.Err()
	}
	head, err := c.header(id)
	if err != nil {
		return err
	}
	*st = stored{known: someChunks, last: head.Last}
	if head.Count < c.chunk {
		st.open, st.openFirst = uint16(head.Count), head.First
	}
	return nil
}

// header returns the head of the chunk at the cursor.
func (c *compactor) header(id uint64) (chunk.Header, error) {
	data, err := c.cur.Chunk()
	if err != nil {
		return chunk.Header{}, err
	}
	head, err := chunk.ReadHeader(data)
	if err != nil {
		return chunk.Header{}, c.damaged(id, err)
	}
	return head, nil
}

func (c *compactor) damaged(id uint64, err error) error {
	return fmt.Errorf("%w: series %d, chunk of window %d at %d ms: %w", blocks.ErrDamaged, id, c.cur.Window(), c.cur.First(), err)
}

// add writes samples of one window.
func (c *compactor) add(w int64, id uint64, st *stored, samples []entry) error {
	openHere := st.open > 0 && c.state.eras.first(st.openFirst) == w
	if st.known == someChunks {
		// Late ones go where they belong, but those that belong to open chunks are merged below.
		limit := st.last + 1
		if openHere {
			limit = st.openFirst
		}
		placed, err := c.insert(w, id, samples[:search(samples, limit)], limit)
		if err != nil {
			return err
		}
		if samples = samples[placed:]; len(samples) == 0 {
			return nil
		}
	}
	if !openHere {
		st.open, st.pieces = 0, 0
	}
	n := int(st.open) + len(samples)
	switch {
	case openHere && (n >= c.chunk || samples[0].t <= st.last):
		first := st.openFirst
		st.open, st.pieces = 0, 0
		return c.rewrite(w, id, st, first, samples)
	case openHere && int(st.pieces)+1 == maxPieces:
		first := st.pieceFirst
		st.pieces = 0
		return c.rewrite(w, id, st, first, samples)
	}
	if st.pieces == 0 {
		st.pieceFirst = samples[0].t
	}
	st.pieces++
	return c.append(w, id, st, samples)
}

// append writes samples as new chunks that are newer than all others of the series.
func (c *compactor) append(w int64, id uint64, st *stored, samples []entry) error {
	st.known = someChunks
	st.last = samples[len(samples)-1].t
	if len(samples) < c.chunk {
		if st.open == 0 {
			st.openFirst = samples[0].t
		}
		st.open += uint16(len(samples))
	} else {
		st.open, st.pieces = 0, 0
	}
	return c.put(w, id, samples)
}

// put writes samples as chunks.
func (c *compactor) put(w int64, id uint64, samples []entry) error {
	c.net[w] += int64(len(samples))
	c.dirty = id
	for chunks := max(1, len(samples)/c.chunk); chunks > 0; chunks-- {
		n := len(samples) / chunks
		c.times, c.values = c.times[:0], c.values[:0]
		for _, e := range samples[:n] {
			c.times = append(c.times, e.t)
			c.values = append(c.values, e.value())
		}
		c.data = c.encoder.Append(c.data[:0], c.times, c.values)
		c.batch.PutChunk(w, id, samples[0].t, c.data)
		samples = samples[n:]
	}
	return nil
}
