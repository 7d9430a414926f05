package tsdb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"metricd/internal/chunk"
	"metricd/internal/storage"
	"metricd/internal/tsdb/blocks"
	"metricd/internal/tsdb/documents"
	"metricd/internal/tsdb/wal"
)

// Repair makes a directory with all that can be read of a damaged one, which it does not change, and tells Fault what could
// not be saved. The new directory must not exist, or be empty. It is complete when Repair returns nil, and Check finds nothing in it; else
// it is empty, or holds nothing but a directory "unfinished" and is refused by Open. The report is Check's of the new directory,
// with what was told in Faults. It takes the memory that opening the damaged directory would take, at most.
//
// What is known of a series whose key is lost becomes the series lost+found;series=N. Where the newest version of
// something is lost, an older one may show, and where the list of tables is lost, what was deleted may; that is told, too.
func Repair(ctx context.Context, o CheckOptions, newDir string) (Report, error) {
	c, err := newChecker(ctx, o)
	if err != nil {
		return Report{}, err
	}
	if err := c.prepare(newDir); err != nil {
		return Report{}, err
	}
	built := c.FS.PathJoin(newDir, unfinishedDir)
	r := &repairer{checker: c, flushed: -1, eras: firstState(windowWidth(0)).eras}
	if err := r.build(built); err != nil {
		return Report{}, errors.Join(fmt.Errorf("%s: %w", built, err), c.FS.RemoveAll(built))
	}
	report, err := Check(ctx, CheckOptions{Dir: built, FS: c.FS, Fault: func(f error) { err = errors.Join(err, f) }})
	if err != nil || report.Faults > 0 {
		return Report{}, errors.Join(fmt.Errorf("what was saved in %s does not check", built), err)
	}
	for _, name := range []string{documentsDir, logDir, chunksDir} {
		if _, err := c.FS.Stat(c.FS.PathJoin(built, name)); name == documentsDir && errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err := c.FS.Rename(c.FS.PathJoin(built, name), c.FS.PathJoin(newDir, name)); err != nil {
			return Report{}, err
		}
	}
	report.Faults = c.report.Faults
	return report, errors.Join(c.FS.Remove(built), blocks.SyncDir(c.FS, newDir))
}

// unfinishedDir is where Repair works.
const unfinishedDir = "unfinished"

// prepare makes the new directory.
func (c *checker) prepare(newDir string) error {
	switch names, err := c.FS.List(newDir); {
	case err == nil && len(names) > 0:
		return fmt.Errorf("%s is not empty: choose another directory for what can be saved", newDir)
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return err
	}
	if err := c.FS.MkdirAll(newDir, 0o700); err != nil {
		return err
	}
	return blocks.SyncDir(c.FS, c.FS.PathDir(newDir))
}

// repairer is one run of Repair.
type repairer struct {
	*checker
	store   *blocks.Store // the new one
	batch   *blocks.Batch
	encoder chunk.Encoder

	eras     eras             // of its windows
	samples  int64            // in its chunks
	saved    map[int64]uint64 // of these, by window
	flushed  int64            // as blocks says; -1: it does not
	lastID   uint64           // of all that was met
	nameless map[uint64]int   // number of chunks, of series without a record
	marks    blocks.Marks
}

// repairBatch is how many bytes are written at once.
const repairBatch = 4 << 20

// build makes a directory of what can be saved.
func (r *repairer) build(dir string) error {
	if err := r.saveChunks(dir); err != nil {
		return err
	}
	db, err := Open(Options{Dir: dir, FS: r.FS})
	if err != nil {
		return err
	}
	db.flushMu.Lock()
	db.flushing.learn = true // which series have chunks
	db.flushMu.Unlock()
	err = r.saveLog(db)
	if err == nil {
		err = db.Flush() // Close may leave it to the log, which here has nothing of it
	}
	if err == nil {
		err = r.settle(db)
	}
	if err == nil {
		err = db.Flush()
	}
	if err == nil {
		err = documents.Each(r.ctx, r.db.documentOptions(r.Dir), db.documents.Restore, r.fault)
	}
	return errors.Join(err, db.Close())
}

// saveChunks saves chunks and the keys of series.
func (r *repairer) saveChunks(dir string) (err error) {
	r.store, err = blocks.Open(blocks.Options{Dir: r.FS.PathJoin(dir, chunksDir), FS: r.FS})
	if err != nil {
		return err
	}
	r.batch = r.store.NewBatch()
	r.nameless, r.saved = map[uint64]int{}, map[int64]uint64{}
	sum, err := blocks.Salvage(r.ctx, blocks.Options{Dir: r.chunksDir(), FS: r.FS}, blocks.Visitor{
		Series: r.series,
		State:  r.state,
		Chunk:  r.saveChunk,
		Damage: func(d blocks.Damage) { r.fault(r.names.damage(d)) },
	})
	if errors.Is(err, os.ErrNotExist) {
		r.fault(fmt.Errorf("%w: %s is not there", blocks.ErrDamaged, r.chunksDir()))
		err = nil
	}
	r.marks, r.db.identity = sum.Marks, sum.Identity
	switch {
	case r.flushed >= 0 || err != nil:
	case sum.Chunks == 0:
		r.flushed = 0 // nothing was ever flushed, or nothing of that is left
	default:
		r.fault(fmt.Errorf("%w: the state of the engine can't be read: all that is in the log is taken for newer than the chunks", blocks.ErrDamaged))
	}
	if err == nil {
		err = r.saveNames()
	}
	if err == nil {
		for w, n := range r.saved {
			r.batch.SetCount(w, n)
		}
		r.batch.SetState(state{lastID: r.lastID, flushed: uint64(max(0, r.flushed)), samples: r.samples, eras: r.eras}.encode())
		err = r.batch.Commit()
	}
	if err == nil {
		err = r.store.Flush(blocks.Marks{})
	}
	return errors.Join(err, r.batch.Close(), r.store.Close())
}

func (r *repairer) state(data []byte) error {
	st, err := decodeState(data)
	if err != nil {
		r.fault(err)
		return nil
	}
	r.flushed, r.lastID = int64(st.flushed), max(r.lastID, st.lastID)
	r.eras, r.judge.eras = st.eras, st.eras
	return nil
}

// saveChunk saves a chunk. Of one that overlaps another it saves what is behind that: it may be older.
func (r *repairer) saveChunk(w int64, id uint64, first int64, data []byte) error {
	times, err := r.judge.chunk(w, id, first, data)
	if err != nil {
		at := r.names.chunkText(blocks.Position{Window: w, ID: id, First: first})
		if !errors.Is(err, errOverlap) {
			r.fault(fmt.Errorf("%w: %s is lost: %w", blocks.ErrDamaged, at, err))
			return nil
		}
		i := 0
		for i < len(times) && times[i] <= r.judge.last {
			i++
		}
		r.fault(fmt.Errorf("%w: %s: %w: %d of its %d samples were left out", blocks.ErrDamaged, at, err, i, len(times)))
		if times = times[i:]; len(times) == 0 {
			return nil
		}
		r.judge.last = times[len(times)-1]
		data = nil
	}
	if !r.names.has(id) {
		r.nameless[id]++
	}
	r.put(w, id, times, r.judge.values[len(r.judge.values)-len(times):], data)
	if r.batch.Len() < repairBatch {
		return nil
	}
	return r.batch.Commit()
}

// put puts samples into the windows where they belong. If that is w for all of them, and data are not nil, they are the chunk.
func (r *repairer) put(w int64, id uint64, times []int64, values []float64, data []byte) {
	for len(times) > 0 {
		in, end := r.eras.window(times[0])
		n, _ := slices.BinarySearch(times, end)
		if in != w || n < len(times) || data == nil {
			data = r.encoder.Append(nil, times[:n], values[:n])
			w = in
		}
		r.batch.PutChunk(in, id, times[0], data)
		r.samples += int64(n)
		r.saved[in] += uint64(n)
		times, values, data = times[n:], values[n:], nil
	}
}

// saveNames saves the keys of series, those that only the log names included.
func (r *repairer) saveNames() error {
	log := logNames{keys: map[uint64]string{}, ids: map[uint64]bool{}}
	_, _, err := r.eachRecord(func(_ uint64, record []byte) error {
		_ = readRecord(record, &log) // which saveLog reports
		return r.ctx.Err()
	})
	if err != nil {
		return err
	}
	for i, id := range r.names.ids {
		log.keys[id] = r.names.keys[i]
	}
	for id := range r.nameless {
		log.ids[id] = true
	}
	for _, id := range slices.Sorted(maps.Keys(log.ids)) {
		if _, named := log.keys[id]; !named {
			log.keys[id] = fmt.Sprintf("lost+found;series=%d", id)
			r.fault(fmt.Errorf("%w: the key of series number %d is lost: what is left of it, %d chunks and what is in the log, is saved as %s",
				blocks.ErrDamaged, id, r.nameless[id], log.keys[id]))
		}
	}
	for id, key := range log.keys {
		r.lastID = max(r.lastID, id)
		r.batch.PutSeries(id, appendSeries(nil, key))
		if r.batch.Len() >= repairBatch {
			if err := r.batch.Commit(); err != nil {
				return err
			}
		}
	}
	return nil
}

// logNames finds out which series the log has, and their keys.
type logNames struct {
	keys map[uint64]string
	ids  map[uint64]bool // with samples, and not ended
}

func (l *logNames) series(id uint64, key []byte) error {
	l.keys[id] = string(key)
	return nil
}

func (l *logNames) row(id uint64, _ int64, _ uint64) error {
	l.ids[id] = true
	return nil
}

func (l *logNames) removed(id uint64, _, _ int64, ended bool) error {
	if ended {
		delete(l.ids, id)
	}
	return nil
}

// eachRecord calls each with what can be read of the damaged directory's log.
func (r *repairer) eachRecord(each func(seq uint64, record []byte) error) (wal.Recovery, []wal.Damage, error) {
	o := r.db.logOptions(state{})
	if _, err := r.FS.Stat(o.Dir); errors.Is(err, os.ErrNotExist) {
		return wal.Recovery{}, nil, nil
	}
	return wal.Salvage(o, each)
}

// saveLog brings what the log holds into the head of db.
func (r *repairer) saveLog(db *DB) error {
	into := newReplay(db, state{flushed: uint64(max(0, r.flushed))})
	next := into.state.flushed + 1
	rec, damages, err := r.eachRecord(func(seq uint64, record []byte) error {
		if seq >= next && r.flushed >= 0 {
			r.gap(next, seq-1)
		}
		next = max(next, seq+1)
		if seq <= into.state.flushed {
			return r.ctx.Err()
		}
		if err := readRecord(record, into); err != nil { // the new log has no batches: db.seq stays
			r.fault(fmt.Errorf("%w: batch %d: %w", errLog, seq, err))
		}
		return r.ctx.Err()
	})
	if err != nil {
		return err
	}
	r.gap(next, r.marks.Synced)
	if rec.Records > 0 || len(damages) > 0 {
		o := r.db.logOptions(state{})
		if _, err := wal.Replay(o, func(uint64, []byte) error { return r.ctx.Err() }); err == nil {
			damages = nil // nothing but a torn end, which nobody was told was stored
		}
	}
	for _, d := range damages {
		r.fault(fmt.Errorf("%w: %v", errLog, d))
	}
	return r.ctx.Err()
}

// gap reports that batches from first to last, both included, are lost, if there are any.
func (r *repairer) gap(first, last uint64) {
	if first <= last {
		r.fault(fmt.Errorf("%w: batches %d to %d are lost: what they put is missing, what they removed may show again", errLog, first, last))
	}
}

// settle ends the series that have no samples, and of several with one key all but the newest: that came when the
// others had ended. All is in chunks.
func (r *repairer) settle(db *DB) error {
	var done bool
	db.mu.Lock()
	defer db.unlock(&done)
	err := db.failure()
	if err == nil {
		r.settleLocked(db)
	}
	done = true
	return err
}

func (r *repairer) settleLocked(db *DB) {
	h := db.mu.head
	newest := map[string]uint64{}
	for i := len(h.order) - 1; i >= 0; i-- {
		at := h.order[i]
		if at == 0 {
			continue
		}
		s := h.at(at)
		left := !h.empty(at, s)
		h.canonical = storage.AppendCanonical(h.canonical[:0], []byte(s.key))
		later, again := newest[string(h.canonical)]
		if left && again {
			r.fault(fmt.Errorf("%w: series number %d is left out: it is %s, which ended before number %d began", errLog, s.id, s.key, later))
		}
		if !left || again {
			h.end(i)
			continue
		}
		newest[string(h.canonical)] = s.id
	}
	h.compact()
}
