package blocks

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"
)

// noLeak makes the test fail if it leaves a goroutine. A store that failed may leave some.
func noLeak(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

const testDir = "data/blocks"

// place is where a chunk is.
type place struct {
	window int64
	id     uint64
	first  int64
}

// content is what a store should hold. It is the model of it.
type content struct {
	series map[uint64]string
	chunks map[place]string
	state  string
}

func newContent() content { return content{series: map[uint64]string{}, chunks: map[place]string{}} }

func (c content) clone() content {
	return content{series: maps.Clone(c.series), chunks: maps.Clone(c.chunks), state: c.state}
}

func (c content) equal(d content) bool {
	return maps.Equal(c.series, d.series) && maps.Equal(c.chunks, d.chunks) && c.state == d.state
}

// diff says in what c is not as want is.
func (c content) diff(want content) string {
	var b strings.Builder
	if c.state != want.state {
		fmt.Fprintf(&b, "state is %q, not %q; ", c.state, want.state)
	}
	diffMaps(&b, c.series, want.series)
	diffMaps(&b, c.chunks, want.chunks)
	return b.String()
}

func diffMaps[K comparable](b *strings.Builder, got, want map[K]string) {
	for k, v := range got {
		if w, ok := want[k]; !ok {
			fmt.Fprintf(b, "%v is there; ", k)
		} else if v != w {
			fmt.Fprintf(b, "%v is %.20q, not %.20q; ", k, v, w)
		}
	}
	for k := range want {
		if _, ok := got[k]; !ok {
			fmt.Fprintf(b, "%v is not there; ", k)
		}
	}
}

// read returns all that a store holds.
func read(s *Store) (content, error) {
	c := newContent()
	state, err := s.State()
	if err != nil {
		return c, err
	}
	c.state = string(state)
	if err := s.EachSeries(0, func(id uint64, record []byte) error {
		c.series[id] = string(record)
		return nil
	}); err != nil {
		return c, err
	}
	cur, err := s.NewCursor()
	if err != nil {
		return c, err
	}
	for ok := cur.SeekFrom(math.MinInt64, 0, math.MinInt64); ok; ok = cur.Next() {
		b, err := cur.Chunk()
		if err != nil {
			break
		}
		c.chunks[place{cur.Window(), cur.ID(), cur.First()}] = string(b)
	}
	return c, cur.Close()
}

func mustRead(t testing.TB, s *Store) content {
	t.Helper()
	c, err := read(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustOpen(t testing.TB, o Options) *Store {
	t.Helper()
	if o.Dir == "" {
		o.Dir = testDir
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustClose(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// windows are those of random changes.
var windows = [...]int64{math.MinInt64, -3e9, -1, 0, 1, 2, 3e9, math.MaxInt64}

// change puts one random change both into the batch and into the model. Few distinct places make for many overwrites.
func change(rng *rand.Rand, b *Batch, c *content) {
	p := place{windows[rng.IntN(len(windows))], rng.Uint64N(6), rng.Int64N(10) - 5}
	value := strings.Repeat(fmt.Sprint(rng.Uint32()), rng.IntN(60))
	switch rng.IntN(12) {
	case 0:
		b.SetState([]byte(value))
		c.state = value
	case 1:
		b.DeleteSeries(p.id)
		delete(c.series, p.id)
	case 2, 3:
		b.PutSeries(p.id, []byte(value))
		c.series[p.id] = value
	case 4:
		b.DeleteChunk(p.window, p.id, p.first)
		delete(c.chunks, p)
	case 5:
		first := randomWindow(rng)
		deleteWindows(b, c, first, max(first, randomWindow(rng)))
	default:
		b.PutChunk(p.window, p.id, p.first, []byte(value))
		c.chunks[p] = value
	}
}

// deleteWindows is a change that deletes the windows first to last, both included.
func deleteWindows(b *Batch, c *content, first, last int64) {
	b.DeleteWindows(first, last)
	maps.DeleteFunc(c.chunks, func(q place, _ string) bool { return first <= q.window && q.window <= last })
}

// randomWindow returns one of those that there may be.
func randomWindow(rng *rand.Rand) int64 { return windows[rng.IntN(len(windows))] }

// commit commits one batch of a few random changes and returns the model after it.
func commit(rng *rand.Rand, s *Store, before content) (content, error) {
	return commitMany(rng, s, before, 1+rng.IntN(6))
}

// commitMany is commit with n changes.
func commitMany(rng *rand.Rand, s *Store, before content, n int) (content, error) {
	b := s.NewBatch()
	defer b.Close()
	after := before.clone()
	for range n {
		change(rng, b, &after)
	}
	return after, b.Commit()
}

// drop deletes all windows up to a random one, and has their space given back.
func drop(rng *rand.Rand, s *Store, before content) (content, error) {
	b := s.NewBatch()
	defer b.Close()
	after := before.clone()
	last := randomWindow(rng)
	deleteWindows(b, &after, math.MinInt64, last)
	if err := errors.Join(b.Commit(), s.Flush(Marks{})); err != nil {
		return after, err
	}
	return after, s.Reclaim(last)
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func TestFlushAndReopen(t *testing.T) {
	noLeak(t)
	fs := vfs.NewMem()
	rng := newRand(1)
	want := newContent()
	for round := range 20 {
		s := mustOpen(t, Options{FS: fs, memTable: 64 << 10})
		if got := mustRead(t, s); !got.equal(want) {
			t.Fatalf("round %d: opened: %s", round, got.diff(want))
		}
		var err error
		for range 30 {
			if want, err = commit(rng, s, want); err != nil {
				t.Fatal(err)
			}
		}
		if got := mustRead(t, s); !got.equal(want) {
			t.Fatalf("round %d: read: %s", round, got.diff(want))
		}
		if err := s.Flush(Marks{Flushed: uint64(round), Synced: uint64(2 * round)}); err != nil {
			t.Fatal(err)
		}
		if got := s.Marks(); got != (Marks{uint64(round), uint64(2 * round)}) {
			t.Fatalf("marks %v", got)
		}
		if round%2 == 0 { // not flushed, so not kept for certain, and without effect on the marks
			if _, err := commit(rng, s, want); err != nil {
				t.Fatal(err)
			}
		}
		mustClose(t, s)
	}
	names, err := fs.List(testDir)
	if err != nil {
		t.Fatal(err)
	}
	if len(names) > 20 {
		t.Errorf("20 sessions left %d files: %q", len(names), names)
	}
}

func TestClosed(t *testing.T) {
	noLeak(t)
	s := mustOpen(t, Options{FS: vfs.NewMem()})
	b := s.NewBatch()
	b.SetState([]byte("x"))
	mustClose(t, s)
	_, stateErr := s.State()
	_, cursorErr := s.NewCursor()
	_, metricsErr := s.Metrics()
	for name, err := range map[string]error{
		"Close": s.Close(), "Commit": b.Commit(), "Flush": s.Flush(Marks{}), "Mark": s.Mark(Marks{1, 1}), "State": stateErr,
		"NewCursor": cursorErr, "Metrics": metricsErr, "Checkpoint": s.Checkpoint("x", 0), "Reclaim": s.Reclaim(1),
		"EachSeries": s.EachSeries(0, func(uint64, []byte) error { return nil }),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s after Close: %v, want ErrClosed", name, err)
		}
	}
}

// TestCloseWaits: Close returns only when the last cursor is closed.
func TestCloseWaits(t *testing.T) {
	noLeak(t)
	s := mustOpen(t, Options{FS: vfs.NewMem()})
	c, err := s.NewCursor()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- s.Close() }()
	<-s.closing
	select {
	case err := <-done:
		t.Fatalf("Close returned %v while a cursor is open", err)
	default:
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestMode: the directories that are created on disk are their owner's alone.
func TestMode(t *testing.T) {
	dir := t.TempDir() + "/a/b"
	s := mustOpen(t, Options{Dir: dir})
	for _, d := range []string{dir, dir + "/.."} {
		info, err := os.Stat(d)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != dirMode {
			t.Errorf("%s has mode %v, want %v", d, info.Mode().Perm(), dirMode)
		}
	}
	mustClose(t, s)
}

// TestCheckpoint: a checkpoint holds what was flushed, opens as a store, and does not change any more.
func TestCheckpoint(t *testing.T) {
	noLeak(t)
	dir := t.TempDir()
	s := mustOpen(t, Options{Dir: dir + "/store"})
	rng := newRand(2)
	want, err := commit(rng, s, newContent())
	for range 50 {
		if err == nil {
			want, err = commit(rng, s, want)
		}
	}
	if err := errors.Join(err, s.Flush(Marks{3, 4}), s.Checkpoint(dir+"/copy", 4)); err != nil {
		t.Fatal(err)
	}
	if err := s.Checkpoint(dir+"/copy", 0); err == nil {
		t.Error("a checkpoint went into a directory that exists")
	}
	b := s.NewBatch()
	b.DeleteWindows(math.MinInt64, math.MaxInt64)
	if err := errors.Join(b.Commit(), b.Close(), s.Flush(Marks{})); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	for _, readOnly := range []bool{true, false} {
		c := mustOpen(t, Options{Dir: dir + "/copy", ReadOnly: readOnly})
		if got := mustRead(t, c); !got.equal(want) {
			t.Errorf("the checkpoint: %s", got.diff(want))
		}
		if got := c.Marks(); got != (Marks{3, 4}) {
			t.Errorf("the checkpoint has marks %v", got)
		}
		mustClose(t, c)
	}
}

// few returns n, or some of that where time is short: with the race detector Pebble checks itself and is ten times slower.
func few(n int) int {
	if testing.Short() {
		return (n + 7) / 8
	}
	return n
}
