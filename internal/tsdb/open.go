package tsdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
	"metricd/internal/tsdb/blocks"
	"metricd/internal/tsdb/wal"
)

// Open returns a DB with what is in its directory, or an empty one.
//
//	DIR/chunks     package blocks; its lock guards the whole
//	DIR/log        package wal
//	DIR/documents  package documents; made for the first one
//	DIR/snapshots  copies that are being read (backup.go)
func Open(o Options) (*DB, error) {
	db := &DB{
		opts:      o.withDefaults(),
		removing:  make(chan struct{}, 1),
		wantFlush: make(chan struct{}, 1),
		stop:      make(chan struct{}),
	}
	mib := float64(db.opts.MemoryLimit) / (1 << 20)
	db.errSeries = fmt.Errorf("%w: %d series is the most allowed (--max-series)", storage.ErrSeriesLimit, o.MaxSeries)
	db.errMemorySeries = fmt.Errorf("%w: no new series near %.4g MiB (--memory-limit)", storage.ErrMemoryLimit, mib)
	db.errMemory = fmt.Errorf("%w: %.4g MiB (--memory-limit)", storage.ErrMemoryLimit, mib)
	db.errTooOld = fmt.Errorf("%w of %s (--retention)", storage.ErrTooOld, ageText(o.Retention))
	db.mu.head = newHead()
	db.dropped, db.reclaimed = minInt64, minInt64
	db.flushing.merge.state = firstState(windowWidth(o.Retention))
	db.eras = db.flushing.merge.state.eras
	var err error
	if o.Dir != "" {
		err = db.load()
	}
	if err == nil {
		err = db.openDocuments()
	}
	if err != nil {
		_ = db.release() // the first error is the one that tells
		return nil, advise(o.Dir, err)
	}
	db.stopped.Add(1)
	go db.run()
	if db.log != nil {
		db.stopped.Add(1)
		go db.keepMarks()
	}
	return db, nil
}

// openBlocks opens blocks in memory, if that is not done yet, and blocks on a disk for writing.
func (db *DB) openBlocks() error {
	if db.blocks != nil {
		return db.makeWritable()
	}
	store, err := blocks.Open(blocks.Options{Dir: "chunks", FS: vfs.NewMem(), Logf: db.opts.Logf, OnFailure: db.fail})
	if err != nil {
		return err
	}
	db.mu.Lock()
	db.blocks = store
	db.mu.Unlock()
	return nil
}

const (
	chunksDir = "chunks"
	logDir    = "log"

	backupList = "BACKUP" // the list of files of a backup (package backup), which is not to be worked on
)

// checkDir refuses a directory that holds other things than ours.
func (db *DB) checkDir() error {
	names, err := db.opts.FS.List(db.opts.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if slices.Contains(names, backupList) {
		return fmt.Errorf("%s is a backup: `metricd restore %[1]s NEWDIR` makes a directory to work with", db.opts.Dir)
	}
	if slices.Contains(names, logDir) && !slices.Contains(names, chunksDir) { // chunks comes first, and is durable
		return fmt.Errorf("%w: %s is not there, but a log is", blocks.ErrDamaged, db.opts.FS.PathJoin(db.opts.Dir, chunksDir))
	}
	if len(names) > 0 && !slices.Contains(names, chunksDir) {
		slices.Sort(names)
		return fmt.Errorf("%s holds %s and no data of metricd: name another directory, or for a new server an empty one", db.opts.Dir, names[0])
	}
	return nil
}

// load opens what is in the directory.
func (db *DB) load() error {
	if err := db.checkDir(); err != nil {
		return err
	}
	db.room = newRoom(&db.opts, db.askFlush)
	if err := db.openChunks(); err != nil {
		return err
	}
	st, err := db.loadChunks()
	if err != nil {
		return err
	}
	if err := db.removeSnapshots(); err != nil {
		return err
	}
	r := newReplay(db, st)
	var rec wal.Recovery
	if db.log, rec, err = wal.Open(db.logOptions(st), r.record); err != nil {
		return err
	}
	db.room.open(db.log)
	if err := r.complete(rec); err != nil {
		return err
	}
	if rec.Torn != nil {
		db.opts.Logf("log: dropped what the end of the process left unfinished, and nobody was told was stored: %v", rec.Torn)
	}
	db.floor.Store(st.flushed)
	db.mu.compact()
	return nil
}

// loadChunks makes the series that blocks has, and returns its state.
func (db *DB) loadChunks() (state, error) {
	db.identity = db.blocks.Identity()
	st, err := db.loadState()
	if err != nil {
		return st, err
	}
	if marks := db.blocks.Marks(); st.flushed < marks.Flushed {
		return st, fmt.Errorf("%w: they hold all up to batch %d, but batch %d was flushed", blocks.ErrDamaged, st.flushed, marks.Flushed)
	}
	return st, db.loadSeries(st)
}

// loadState reads the state that blocks has, if there is one.
func (db *DB) loadState() (state, error) {
	m := &db.flushing.merge
	data, err := db.blocks.State()
	if err != nil || data == nil {
		return m.state, err
	}
	if m.state, err = decodeState(data); err != nil {
		return m.state, err
	}
	db.storedSamples.Store(m.state.samples)
	m.state.eras, err = db.nextEras(m.state.eras)
	db.eras = m.state.eras
	return m.state, err
}

// nextEras returns the eras of windows, and one more if the retention now asks for another width.
func (db *DB) nextEras(es eras) (eras, error) {
	cur, err := db.blocks.NewCursor()
	if err != nil {
		return es, err
	}
	defer cur.Close()
	now := db.opts.Now().UnixMilli()
	next := es.next(now, windowWidth(db.opts.Retention))
	last, found := cur.LastWindow()
	if _, from := es.window(now); !slices.Equal(next, es) && found && last >= from {
		db.opts.Logf("there are samples of the future: so retention goes on in steps of %v", time.Duration(es[len(es)-1].width)*time.Millisecond)
		return es, nil
	}
	return next, cur.Err()
}

// loadSeries makes the series that blocks has.
func (db *DB) loadSeries(st state) error {
	h := db.mu.head
	err := db.blocks.EachSeries(0, func(id uint64, record []byte) error {
		key, err := decodeSeries(record)
		if err != nil {
			return fmt.Errorf("series %d: %w", id, err)
		}
		h.canonical = storage.AppendCanonical(h.canonical[:0], key)
		at := h.restore(id, key, h.canonical)
		h.storedOf(at).known = unknown
		return nil
	})
	h.lastID = max(h.lastID, st.lastID)
	h.frozenID = h.lastID
	db.recordedID = st.lastID
	return err
}

// logOptions are those of the log over chunks with this state.
func (db *DB) logOptions(st state) wal.Options {
	fs := db.fs()
	o := wal.Options{FS: fs, Dir: fs.PathJoin(db.opts.Dir, logDir), Interval: db.opts.SyncInterval, Start: st.flushed, OnFailure: db.fail}
	o.ID = binary.LittleEndian.Uint64(db.identity[:])
	if db.opts.SyncInterval > 0 {
		o.Mode = wal.Interval
	}
	return o
}

// replay applies records of the log to the head, as the appenders that wrote them did.
type replay struct {
	db    *DB
	state state
	last  int // the place in head.order of the series at hand

	// unknown are series that are neither in blocks nor named in the log. They ended before a flush came
	// to them, so the log tells their end, too.
	unknown map[uint64]struct{}
}

func newReplay(db *DB, st state) *replay {
	db.seq.Store(st.flushed)
	return &replay{db: db, state: st, unknown: make(map[uint64]struct{})}
}

// record takes a record of the log.
func (r *replay) record(seq uint64, record []byte) error {
	if seq <= r.state.flushed {
		return nil
	}
	r.db.seq.Store(seq)
	if err := readRecord(record, r); err != nil {
		return fmt.Errorf("%w: batch %d: %w", errLog, seq, err)
	}
	return nil
}

// complete says whether the log holds all that is not in chunks.
func (r *replay) complete(rec wal.Recovery) error {
	dir := r.db.opts.FS.PathJoin(r.db.opts.Dir, logDir)
	was := r.db.blocks.Marks().Synced
	switch {
	case rec.Base > r.state.flushed:
		return fmt.Errorf("%w: %s: batches %d to %d are missing, its oldest file is gone", errLog, dir, r.state.flushed+1, rec.Base)
	case max(rec.Last, r.state.flushed) < was && len(rec.Segments) == 0:
		return fmt.Errorf("%w: %s: batches %d to %d are missing, its files are gone", errLog, dir, r.state.flushed+1, was)
	case max(rec.Last, r.state.flushed) < was:
		last := rec.Segments[len(rec.Segments)-1]
		return fmt.Errorf("%w: %s ends at batch %d, but batch %d was synced", errLog, last.Path, rec.Last, was)
	case len(r.unknown) > 0:
		return fmt.Errorf("%w: %s: it has samples of %d series that nothing names", errLog, dir, len(r.unknown))
	}
	return nil
}

// place returns the place of a series, -1 if it is not known.
func (r *replay) place(id uint64) int {
	h := r.db.mu.head
	for _, i := range []int{r.last, r.last + 1} {
		if i < len(h.ids) && h.ids[i] == id && h.order[i] != 0 {
			r.last = i
			return i
		}
	}
	i := h.place(id)
	if i >= 0 {
		r.last = i
	}
	return i
}

func (r *replay) series(id uint64, key []byte) error {
	h := r.db.mu.head
	if r.place(id) >= 0 { // a flush that did not come to its end wrote its record
		return nil
	}
	if id <= h.lastID && len(h.ids) > 0 && id <= h.ids[len(h.ids)-1] {
		r.unknown[id] = struct{}{}
		return nil
	}
	h.canonical = storage.AppendCanonical(h.canonical[:0], key)
	h.restore(id, key, h.canonical)
	return nil
}

func (r *replay) row(id uint64, t int64, bits uint64) error {
	i := r.place(id)
	if i < 0 {
		r.unknown[id] = struct{}{}
		return nil
	}
	h := r.db.mu.head
	s := h.at(h.order[i])
	switch {
	case s.append(&h.slab, t, bits):
	case s.root != 0 && t < s.last:
		h.hold(&s.run, entry{t, bits})
	case s.put(&h.slab, t, bits):
		h.samples--
	}
	h.samples++
	return nil
}

func (r *replay) removed(id uint64, mint, maxt int64, ended bool) error {
	i := r.place(id)
	if i < 0 {
		if ended {
			delete(r.unknown, id)
		}
		return nil
	}
	r.db.removeLocked(removal{i, ended}, mint, maxt)
	return nil
}
