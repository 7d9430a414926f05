package wal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// entry is a record with its sequence.
type entry struct {
	seq uint64
	rec string
}

// collect returns a function for replay, and what it was given.
func collect() (func(uint64, []byte) error, *[]entry) {
	var got []entry
	return func(seq uint64, rec []byte) error {
		got = append(got, entry{seq, string(rec)})
		return nil
	}, &got
}

func mustOpen(t testing.TB, o Options) (*Log, Recovery, []entry) {
	t.Helper()
	each, got := collect()
	l, rec, err := Open(o, each)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, rec, *got
}

func mustClose(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func mustAppend(t testing.TB, l *Log, entries ...entry) {
	t.Helper()
	for _, e := range entries {
		if err := l.Append([]byte(e.rec), e.seq); err != nil {
			t.Fatal(err)
		}
	}
}

// entries returns n records of growing size that follow sequence after.
func entries(after uint64, n int) []entry {
	es := make([]entry, n)
	for i := range es {
		seq := after + uint64(i) + 1
		es[i] = entry{seq, strings.Repeat(fmt.Sprintf("%d,", seq), i%50)}
	}
	return es
}

func wantEntries(t testing.TB, got, want []entry) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("record %d is %d, %.40q; want %d, %.40q", i, got[i].seq, got[i].rec, want[i].seq, want[i].rec)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
}

var modes = map[string]Mode{"always": Always, "interval": Interval}

func forModes(t *testing.T, f func(t *testing.T, m Mode)) {
	for name, m := range modes {
		t.Run(name, func(t *testing.T) { f(t, m) })
	}
}

func TestRecordsComeBack(t *testing.T) {
	forModes(t, func(t *testing.T, m Mode) {
		o := Options{Dir: t.TempDir() + "/log", Mode: m, Start: 7}
		l, rec, got := mustOpen(t, o)
		if len(got) != 0 || rec.Base != 7 || rec.Last != 7 || l.Durable() != 7 {
			t.Fatalf("a new log has %d records, %+v", len(got), rec)
		}
		big := strings.Repeat("0123456789", 20_000) // several blocks
		want := append(entries(7, 200), entry{1000, big}, entry{1001, ""}, entry{1 << 40, "x"})
		for i, e := range want {
			mustAppend(t, l, e)
			if i%60 == 59 {
				if upTo, err := l.Rotate(); err != nil || upTo != e.seq {
					t.Fatalf("Rotate: %d, %v, want %d", upTo, err, e.seq)
				}
			}
		}
		if err := l.Wait(t.Context(), 1<<40); err != nil {
			t.Fatal(err)
		}
		if l.Durable() != 1<<40 {
			t.Fatalf("durable up to %d", l.Durable())
		}
		mustClose(t, l)
		if l.Synced() != 1<<40 {
			t.Fatalf("synced up to %d", l.Synced())
		}

		each, replayed := collect()
		rec, err := Replay(o, each)
		if err != nil || rec.Torn != nil || !rec.Clean || rec.Last != 1<<40 || rec.Base != 7 {
			t.Fatalf("%+v, %v", rec, err)
		}
		wantEntries(t, *replayed, want)

		l, rec, got = mustOpen(t, o)
		wantEntries(t, got, want)
		var size int64
		for _, s := range rec.Segments {
			size += s.Bytes
		}
		if l.Size() != size || size < 200_000 || len(rec.Segments) != 4 {
			t.Fatalf("Size is %d, segments are %+v", l.Size(), rec.Segments)
		}
	})
}

func TestNothingIsMadeBeforeTheFirstRecord(t *testing.T) {
	o := Options{FS: vfs.NewMem(), Dir: "log"}
	for range 3 {
		l, _, _ := mustOpen(t, o)
		mustClose(t, l)
	}
	if names, err := o.FS.List("log"); err != nil || len(names) != 0 {
		t.Fatalf("%v, %v", names, err)
	}
}

func TestAppendIsRefusedAfterClose(t *testing.T) {
	l, _, _ := mustOpen(t, Options{FS: vfs.NewMem(), Dir: "log"})
	mustAppend(t, l, entries(0, 3)...)
	mustClose(t, l)
	mustClose(t, l)
	if err := l.Append(nil, 4); !errors.Is(err, ErrClosed) {
		t.Errorf("Append: %v", err)
	}
	if _, err := l.Rotate(); !errors.Is(err, ErrClosed) {
		t.Errorf("Rotate: %v", err)
	}
	if err := l.Throttle(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("Throttle: %v", err)
	}
	if err := l.Remove(3); !errors.Is(err, ErrClosed) {
		t.Errorf("Remove: %v", err)
	}
	if err := l.Wait(t.Context(), 3); err != nil {
		t.Errorf("Wait for what is durable: %v", err)
	}
	if err := l.Wait(t.Context(), 4); !errors.Is(err, ErrClosed) {
		t.Errorf("Wait for what is not: %v", err)
	}
}

func TestCloseTellsThoseWhoWaitForWhatNeverComes(t *testing.T) {
	l, _, _ := mustOpen(t, Options{FS: vfs.NewMem(), Dir: "log"})
	errs := make(chan error)
	go func() { errs <- l.Wait(context.Background(), 99) }()
	mustAppend(t, l, entries(0, 2)...)
	mustClose(t, l)
	if err := <-errs; !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

func TestWaitWithDoneContext(t *testing.T) {
	fs := newHoldFS()
	l, _, _ := mustOpen(t, Options{FS: fs, Dir: "log"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	mustAppend(t, l, entries(0, 1)...)
	<-fs.syncing
	if err := l.Wait(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("not durable: %v", err)
	}
	ctx2, cancel2 := context.WithCancel(t.Context())
	errs := make(chan error)
	go func() { errs <- l.Wait(ctx2, 1) }()
	cancel2()
	if err := <-errs; !errors.Is(err, context.Canceled) {
		t.Errorf("canceled while waiting: %v", err)
	}
	close(fs.release)
	if err := l.Wait(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := l.Wait(ctx, 1); err != nil {
		t.Errorf("durable: %v", err)
	}
}

func TestThrottleBoundsWhatIsQueued(t *testing.T) {
	fs := newHoldFS()
	l, _, _ := mustOpen(t, Options{FS: fs, Dir: "log", MaxUnsynced: 100_000})
	rec := make([]byte, 1000)
	seq := uint64(0)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for {
		err := l.Throttle(ctx)
		if err != nil {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			break
		}
		seq++
		if err := l.Append(rec, seq); err != nil {
			t.Fatal(err)
		}
	}
	if seq < 95 || seq > 100 {
		t.Errorf("%d records of 1000 bytes were let through", seq)
	}
	go close(fs.release)
	if err := l.Throttle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestRotateDoesNotWait(t *testing.T) {
	forModes(t, func(t *testing.T, m Mode) {
		fs := newHoldFS()
		l, _, _ := mustOpen(t, Options{FS: fs, Dir: "log", Mode: m})
		want := entries(0, 30)
		for _, e := range want {
			mustAppend(t, l, e)
			if upTo, err := l.Rotate(); err != nil || upTo != e.seq {
				t.Fatal(upTo, err)
			}
		}
		// A segment without records stays.
		if upTo, err := l.Rotate(); err != nil || upTo != 30 {
			t.Fatal(upTo, err)
		}
		if m == Always && l.Durable() != 0 {
			t.Fatalf("%d is durable, and nothing was synced", l.Durable())
		}
		close(fs.release)
		if err := l.Wait(t.Context(), 30); err != nil {
			t.Fatal(err)
		}
		mustClose(t, l)
		_, rec, got := mustOpen(t, Options{FS: fs.FS, Dir: "log"})
		wantEntries(t, got, want)
		if len(rec.Segments) != 30 {
			t.Fatalf("%d segments", len(rec.Segments))
		}
	})
}

func TestRemove(t *testing.T) {
	o := Options{FS: vfs.NewMem(), Dir: "log"}
	l, _, _ := mustOpen(t, o)
	want := entries(0, 50)
	for _, e := range want {
		mustAppend(t, l, e)
		if e.seq%10 == 0 && e.seq < 50 {
			if _, err := l.Rotate(); err != nil {
				t.Fatal(err)
			}
		}
	}
	before := l.Size()
	if err := l.Remove(29); err != nil { // 1-10 and 11-20 go
		t.Fatal(err)
	}
	if err := l.Wait(t.Context(), 50); err != nil { // only after all before the current segment is closed
		t.Fatal(err)
	}
	if n := len(l.finishedUpTo(0)); n != 2 || l.Size() >= before {
		t.Fatalf("%d closed segments, %d bytes, before %d", n, l.Size(), before)
	}
	mustClose(t, l)
	l, rec, got := mustOpen(t, o)
	wantEntries(t, got, want[20:])
	if rec.Base != 20 || rec.Last != 50 {
		t.Fatalf("%+v", rec)
	}
	// Now nothing is current: all can go. The sequences go on.
	if err := l.Remove(50); err != nil || l.Size() != 0 {
		t.Fatal(l.Size(), err)
	}
	mustAppend(t, l, entry{51, "a"})
	mustClose(t, l)
	_, rec, got = mustOpen(t, o)
	wantEntries(t, got, []entry{{51, "a"}})
	if rec.Base != 50 {
		t.Fatalf("%+v", rec)
	}
}

func TestManyWaiters(t *testing.T) {
	forModes(t, func(t *testing.T, m Mode) {
		o := Options{Dir: t.TempDir(), Mode: m}
		l, _, _ := mustOpen(t, o)
		var order order
		var all sync.WaitGroup
		const goroutines, each = 100, 50
		for range goroutines {
			all.Go(func() {
				for range each {
					if err := l.Throttle(t.Context()); err != nil {
						t.Error(err)
					}
					seq, err := order.append(l, []byte("record"))
					if err == nil {
						err = l.Wait(t.Context(), seq)
					}
					if err != nil || l.Durable() < seq {
						t.Errorf("sequence %d, durable %d, %v", seq, l.Durable(), err)
					}
				}
			})
		}
		all.Go(func() {
			for range 20 {
				upTo, err := l.Rotate()
				if err != nil {
					t.Error(err)
				}
				if err := l.Wait(t.Context(), upTo); err != nil {
					t.Error(err)
				}
			}
		})
		all.Wait()
		st := l.Stats()
		if st.Records != goroutines*each || st.Bytes != 6*st.Records || st.Groups == 0 {
			t.Errorf("%+v", st)
		}
		mustClose(t, l)
		_, _, got := mustOpen(t, o)
		if len(got) != goroutines*each || !slices.IsSortedFunc(got, func(a, b entry) int { return int(a.seq) - int(b.seq) }) {
			t.Errorf("%d records", len(got))
		}
	})
}

// holdFS is a file system in memory on which a sync waits until release is closed, except those of
// headers and directories.
type holdFS struct {
	vfs.FS
	syncing chan struct{} // told of the first sync
	release chan struct{}
}

func newHoldFS() *holdFS {
	return &holdFS{vfs.NewCrashableMem(), make(chan struct{}, 1), make(chan struct{})}
}

func (fs *holdFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.Create(name, c)
	return &holdFile{f, fs}, err
}

type holdFile struct {
	vfs.File
	fs *holdFS
}

func (f *holdFile) SyncData() error {
	select {
	case f.fs.syncing <- struct{}{}:
	default:
	}
	<-f.fs.release
	return f.File.SyncData()
}

// few returns n, or some of that where time is short: with the race detector Pebble checks itself and is ten times slower.
func few(n int) int {
	if testing.Short() {
		return (n + 7) / 8
	}
	return n
}
