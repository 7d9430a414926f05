package tsdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
	"metricd/internal/tsdb/blocks"
	"metricd/internal/tsdb/documents"
	"metricd/internal/tsdb/wal"
)

// CheckOptions say what to check.
type CheckOptions struct {
	Dir string // as in Options
	FS  vfs.FS // nil: the operating system's
	// Fault is called with each thing that is wrong: a line that names the file, and the place in it. With Repair, it is also
	// something that could not be saved, or not as it was: a series, a window, times, as far as that is known. Nil: not called.
	Fault func(error)
}

// Report is what Check or Repair found.
type Report struct {
	Series       int64 // that exist
	ChunkSamples int64 // in chunks
	LogSamples   int64 // in the log and not in chunks, those that replace one in chunks included
	Documents    int64 // that are sound
	LogRecords   int64 // batches of puts and removals in the log, those in chunks included
	Chunks       int64
	Windows      int64      // that have chunks
	First, Last  int64      // times of the oldest and newest sample, ms; First is above Last if there are none
	Files        []FileKind // by name of the kind
	Unlocked     error      // why the directory was locked without its file LOCK: it can't be written to; or nil
	Torn         string     // what the end of a process left unfinished in the log, which is no fault; or empty
	Faults       int
}

// FileKind is what the files of one kind take.
type FileKind struct {
	Kind  string
	Files int
	Bytes int64
}

// Check reads all that a directory holds: checksums, what chunks and the log hold, and whether all of it fits together and the
// marks. It changes nothing, but makes a file for the lock where there is none and one can be made. The error is for what can't be checked: a
// directory that is in use, or of another program, or of a newer version of this one. What is wrong is no error but told
// to Fault and counted.
//
// It takes the memory that opening the directory would take. The lock of the directory is held meanwhile.
func Check(ctx context.Context, o CheckOptions) (Report, error) {
	c, err := newChecker(ctx, o)
	if err != nil {
		return Report{}, err
	}
	c.db.blocks, err = blocks.Open(blocks.Options{Dir: c.chunksDir(), FS: c.FS, ReadOnly: true})
	switch {
	case err == nil:
		c.report.Unlocked = c.db.blocks.Unlocked()
		if err = c.whole(); err == nil {
			err = c.documents()
		}
		return c.report, errors.Join(err, c.db.blocks.Close())
	case !isDamage(err) && !errors.Is(err, os.ErrNotExist):
		return Report{}, err
	}
	if err := c.salvageable(); err != nil {
		return Report{}, err
	}
	c.faultOnce(err)
	err = c.documents()
	return c.report, err
}

// checker is one run of Check.
type checker struct {
	CheckOptions
	ctx    context.Context
	report Report
	db     *DB // what is read, never started
	judge  judge
	names  names            // of series that have records
	counts map[int64]uint64 // samples by window
}

func newChecker(ctx context.Context, o CheckOptions) (*checker, error) {
	db := &DB{opts: Options{Dir: o.Dir, FS: o.FS}.withDefaults()}
	db.mu.head = newHead()
	o.FS = db.opts.FS
	if o.Fault == nil {
		o.Fault = func(error) {}
	}
	if _, err := o.FS.Stat(o.Dir); err != nil {
		return nil, err
	}
	if err := db.checkDir(); err != nil && !isDamage(err) {
		return nil, err
	}
	if names, err := o.FS.List(o.Dir); err != nil || len(names) == 0 {
		return nil, errors.Join(err, fmt.Errorf("%s is empty: there is no data of metricd", o.Dir))
	}
	c := &checker{CheckOptions: o, ctx: ctx, db: db, counts: make(map[int64]uint64)}
	c.report.First, c.report.Last = maxInt64, minInt64
	return c, c.files()
}

func (c *checker) chunksDir() string { return c.FS.PathJoin(c.Dir, chunksDir) }

func (c *checker) fault(err error) {
	c.report.Faults++
	c.Fault(err)
}

// files counts what is there.
func (c *checker) files() error {
	kinds := map[string]*FileKind{}
	for _, dir := range []string{chunksDir, logDir, documentsDir} {
		dir = c.FS.PathJoin(c.Dir, dir)
		names, err := c.FS.List(dir)
		if errors.Is(err, os.ErrNotExist) {
			continue // which is judged elsewhere
		} else if err != nil {
			return err
		}
		for _, name := range names {
			info, err := c.FS.Stat(c.FS.PathJoin(dir, name))
			if err != nil {
				return err
			}
			kind := kindOf(name)
			if kinds[kind] == nil {
				kinds[kind] = &FileKind{Kind: kind}
			}
			kinds[kind].Files++
			kinds[kind].Bytes += info.Size()
		}
	}
	for _, k := range kinds {
		c.report.Files = append(c.report.Files, *k)
	}
	slices.SortFunc(c.report.Files, func(a, b FileKind) int { return strings.Compare(a.Kind, b.Kind) })
	return nil
}

// kindOf says what a file is.
func kindOf(name string) string {
	switch {
	case strings.HasSuffix(name, ".sst"):
		return "tables of chunks"
	case strings.HasSuffix(name, ".wal"):
		return "log"
	case strings.HasSuffix(name, ".doc"), strings.HasSuffix(name, ".doc.new"):
		return "documents"
	case name == "marks":
		return "marks"
	}
	return "lists of tables, options, locks"
}

// whole checks a directory whose chunks can be opened.
func (c *checker) whole() error {
	if data, err := c.db.blocks.State(); err == nil && data != nil {
		if st, err := decodeState(data); err == nil { // else loadChunks tells
			c.judge.eras = st.eras
		}
	}
	sum, err := c.db.blocks.Verify(c.ctx, blocks.Visitor{
		Series: c.series,
		Chunk:  c.chunk,
		Damage: func(d blocks.Damage) { c.fault(c.names.damage(d)) },
	})
	if err != nil {
		return err
	}
	c.report.Chunks, c.report.Windows = sum.Chunks, sum.Windows
	st, err := c.db.loadChunks()
	if err != nil {
		c.faultOnce(err)
		return c.log(st, false)
	}
	if st.samples != c.report.ChunkSamples && c.report.Faults == 0 {
		c.fault(fmt.Errorf("%w: there are %d samples, and the last flush counted %d", blocks.ErrDamaged, c.report.ChunkSamples, st.samples))
	}
	if err := c.windows(); err != nil {
		c.fault(err)
	}
	return c.log(st, true)
}

// documents checks the documents.
func (c *checker) documents() error {
	return documents.Each(c.ctx, c.db.documentOptions(c.Dir), func(storage.DocumentInfo, []byte) error {
		c.report.Documents++
		return nil
	}, c.fault)
}

// windows compares what is counted in each window to what is there.
func (c *checker) windows() error {
	all, err := c.db.blocks.Counts(minInt64, maxInt64)
	for w, n := range c.counts {
		var counted uint64
		if err == nil {
			counted, err = c.db.blocks.Count(w)
		}
		if err == nil && counted != n && c.report.Faults == 0 {
			err = fmt.Errorf("%w: the window from %s has %d samples, and %d were counted", blocks.ErrDamaged, timeText(w), n, counted)
		}
	}
	if err == nil && all != uint64(c.report.ChunkSamples) && c.report.Faults == 0 {
		err = fmt.Errorf("%w: there are %d samples, and all windows counted %d", blocks.ErrDamaged, c.report.ChunkSamples, all)
	}
	return err
}

// faultOnce reports an error if nothing else was wrong: then it is what that led to.
func (c *checker) faultOnce(err error) {
	if c.report.Faults == 0 {
		c.fault(err)
	}
}

// series checks the record of a series.
func (c *checker) series(id uint64, record []byte) error {
	key, err := decodeSeries(record)
	if err != nil {
		c.fault(fmt.Errorf("series %d: %w", id, err))
		return nil
	}
	c.names.add(id, string(key))
	return nil
}

// chunk checks a chunk.
func (c *checker) chunk(w int64, id uint64, first int64, data []byte) error {
	times, err := c.judge.chunk(w, id, first, data)
	if err == nil && !c.names.has(id) {
		err = errors.New("nothing names its series")
	}
	if err != nil {
		c.fault(fmt.Errorf("%w: %s: %w", blocks.ErrDamaged, c.names.chunkText(blocks.Position{Window: w, ID: id, First: first}), err))
		return nil
	}
	c.report.ChunkSamples += int64(len(times))
	c.counts[w] += uint64(len(times))
	c.report.span(times[0], times[len(times)-1])
	return nil
}

// span takes note of samples from one time to another.
func (r *Report) span(first, last int64) {
	r.First, r.Last = min(r.First, first), max(r.Last, last)
}

// log checks the log, and if it is to be replayed on chunks, that it fits them.
func (c *checker) log(st state, replayed bool) error {
	o := c.db.logOptions(st)
	r := newReplay(c.db, st)
	rec := wal.Recovery{Base: st.flushed, Last: st.flushed}
	_, err := c.FS.Stat(o.Dir)
	if err == nil {
		rec, err = wal.Replay(o, func(seq uint64, record []byte) error {
			if !replayed || c.ctx.Err() != nil {
				return c.ctx.Err()
			}
			return r.record(seq, record)
		})
	}
	c.report.LogRecords = rec.Records
	if rec.Torn != nil {
		c.report.Torn = rec.Torn.String()
	}
	switch {
	case c.ctx.Err() != nil:
		return c.ctx.Err()
	case isDamage(err):
		return c.damagedLog(o, err)
	case err != nil && !errors.Is(err, os.ErrNotExist): // without a directory it is empty
		return err
	case !replayed:
		return nil
	}
	if err := r.complete(rec); err != nil {
		c.fault(err)
	}
	c.head()
	return nil
}

// damagedLog reports what is wrong with a log, of which err is the first.
func (c *checker) damagedLog(o wal.Options, err error) error {
	c.fault(err)
	var first *wal.CorruptError
	if !errors.As(err, &first) {
		return nil
	}
	rec, damages, err := wal.Salvage(o, func(uint64, []byte) error { return c.ctx.Err() })
	c.report.LogRecords = rec.Records
	for _, d := range damages {
		if d.File != first.File || d.Offset != first.Offset {
			c.fault(fmt.Errorf("%w: %v", errLog, d))
		}
	}
	return err
}

// head counts what was replayed, and checks that no two series have one key.
func (c *checker) head() {
	h := c.db.mu.head
	c.report.Series = int64(h.count())
	for _, at := range h.order {
		if at == 0 {
			continue
		}
		s := h.at(at)
		h.canonical = storage.AppendCanonical(h.canonical[:0], []byte(s.key))
		if other := h.find(h.canonical); other != at {
			c.fault(fmt.Errorf("%w: series numbers %d and %d are both %s", blocks.ErrDamaged, s.id, h.at(other).id, s.key))
		}
		if r := h.active(s); r != nil {
			h.settle(r)
			if first := r.read(&h.slab, minInt64, maxInt64-1, make([]entry, 0, 1)); len(first) > 0 {
				c.report.span(first[0].t, r.last)
			}
		}
	}
	c.report.LogSamples = h.samples
}

// salvageable tells what Repair could not save, where the chunks can't be opened.
func (c *checker) salvageable() error {
	sum, err := blocks.Salvage(c.ctx, blocks.Options{Dir: c.chunksDir(), FS: c.FS}, blocks.Visitor{
		Series: c.series,
		Chunk:  c.chunk,
		Damage: func(d blocks.Damage) { c.fault(c.names.damage(d)) },
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	c.db.identity = sum.Identity
	c.report.Series, c.report.Chunks, c.report.Windows = sum.Series, sum.Chunks, sum.Windows
	return c.log(state{}, false)
}
