package tsdb

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/chunk"
	"metricd/internal/storage"
	"metricd/internal/tsdb/blocks"
)

// twoSeries returns a stopped store of two series with samples at 0 to 9 s, and what it holds.
func twoSeries(t testing.TB) (image, contents) {
	t.Helper()
	fs := vfs.NewMem()
	db := mustOpen(t, Options{Dir: "d", FS: fs})
	want := contents{"a": {}, "b": {}}
	for i := range int64(10) {
		for _, key := range []string{"a", "b"} {
			want[key][i*1000] = float64(i)
			put(t, db, storage.Row{Key: []byte(key), T: i * 1000, V: float64(i)})
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return imageOf(t, fs, "d"), want
}

// encoded returns a chunk with these times, all with one value.
func encoded(value float64, times ...int64) []byte {
	var e chunk.Encoder
	values := slices.Repeat([]float64{value}, len(times))
	return e.Append(nil, times, values)
}

// TestCheckFaults: whatever of chunks, series and state does not fit together is told, and what can be saved is saved.
func TestCheckFaults(t *testing.T) {
	files, want := twoSeries(t)
	all := func(c contents, change func(contents)) contents {
		d := contents{}
		for key, samples := range c {
			d[key] = map[int64]float64{}
			for ts, v := range samples {
				d[key][ts] = v
			}
		}
		change(d)
		return d
	}
	for name, tt := range map[string]struct {
		spoil func(b *blocks.Batch)
		fault string
		want  contents
	}{
		"no key": {
			func(b *blocks.Batch) { b.DeleteSeries(1) },
			"series number 1, whose key is not known, window from 1970-01-01T00:00:00Z, chunk from 1970-01-01T00:00:00Z: nothing names its series",
			contents{"lost+found;series=1": want["a"], "b": want["b"]},
		},
		"a key that can't be read": {
			func(b *blocks.Batch) { b.PutSeries(2, []byte{9}) },
			"series 2: chunks: damaged: the record of a series",
			contents{"lost+found;series=2": want["b"], "a": want["a"]},
		},
		"two of one key": {
			func(b *blocks.Batch) {
				b.PutSeries(3, appendSeries(nil, "a"))
				b.PutChunk(0, 3, 5, encoded(7, 5))
				b.SetCount(0, 21)
				b.SetState(state{lastID: 3, flushed: 20, samples: 21, eras: firstState(windowWidth(0)).eras}.encode())
			},
			" are both a",
			contents{"a": {5: 7}, "b": want["b"]},
		},
		"a chunk that can't be decoded": {
			func(b *blocks.Batch) { b.PutChunk(0, 1, 20_000, []byte("nonsense")) },
			"series a, window from 1970-01-01T00:00:00Z, chunk from 1970-01-01T00:00:20Z: ",
			want,
		},
		"a chunk under another time": {
			func(b *blocks.Batch) { b.PutChunk(0, 1, 20_000, encoded(1, 21_000)) },
			"its first sample is at 1970-01-01T00:00:21Z",
			want,
		},
		"a chunk in another window": {
			func(b *blocks.Batch) { b.PutChunk(5, 1, 20_000, encoded(1, 20_000)) },
			"not all of that window",
			want,
		},
		"a chunk that goes on behind its window": {
			func(b *blocks.Batch) { b.PutChunk(0, 1, 20_000, encoded(1, 20_000, windowWidth(0))) },
			"not all of that window",
			want,
		},
		"chunks that overlap": {
			func(b *blocks.Batch) { b.PutChunk(0, 1, 8_500, encoded(3, 8_500, 9_000, 9_500)) },
			"series a, window from 1970-01-01T00:00:00Z, chunk from 1970-01-01T00:00:08.5Z: it overlaps",
			all(want, func(c contents) { c["a"][9_500] = 3 }),
		},
		"more samples than counted": {
			func(b *blocks.Batch) { b.PutChunk(0, 1, 20_000, encoded(1, 20_000)) },
			"there are 21 samples, and the last flush counted 20",
			all(want, func(c contents) { c["a"][20_000] = 1 }),
		},
		"a window with more samples than counted": {
			func(b *blocks.Batch) { b.SetCount(0, 19) },
			"the window from 1970-01-01T00:00:00Z has 20 samples, and 19 were counted",
			want,
		},
		"a window that has nothing": {
			func(b *blocks.Batch) { b.SetCount(windowWidth(0), 1) },
			"there are 20 samples, and all windows counted 21",
			want,
		},
		"no state": {
			func(b *blocks.Batch) { b.SetState([]byte{0}) },
			"the state of the engine: 00",
			want,
		},
		"an old state": {
			func(b *blocks.Batch) {
				b.SetState(state{lastID: 2, flushed: 3, samples: 20, eras: firstState(windowWidth(0)).eras}.encode())
			},
			"they hold all up to batch 3, but batch 20 was flushed",
			want,
		},
	} {
		t.Run(name, func(t *testing.T) {
			fs := files.write(t)
			store, err := blocks.Open(blocks.Options{Dir: "d/chunks", FS: fs})
			if err != nil {
				t.Fatal(err)
			}
			b := store.NewBatch()
			tt.spoil(b)
			if err := errors.Join(b.Commit(), b.Close(), store.Flush(blocks.Marks{}), store.Close()); err != nil {
				t.Fatal(err)
			}
			_, faults, err := checkAll(t, fs, "d")
			if err != nil || !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, tt.fault) }) {
				t.Errorf("faults %q, err %v; want one of %q", faults, err, tt.fault)
			}
			if _, got, _ := repaired(t, fs); !got.equal(tt.want) {
				t.Errorf("repaired %v, want %v", got, tt.want)
			}
		})
	}
}

// TestRepairLog: behind a damage in the middle of the log the rest is saved, with series that only the damaged part names
// under a name that says so, and what is lost is told.
func TestRepairLog(t *testing.T) {
	fs := vfs.NewMem()
	db := mustOpen(t, Options{Dir: "d", FS: fs})
	var ends []int64 // of the log after each batch
	for i, key := range []string{"a", "b", "c", "b", "a", "c"} {
		put(t, db, storage.Row{Key: []byte(key), T: int64(i) * 1000, V: float64(i)})
		ends = append(ends, db.log.Size())
	}
	db.mark()
	files := imageOf(t, fs, "d")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	const log = "d/log/0000000001.wal"
	for name, tt := range map[string]struct {
		damage func(b []byte) []byte
		faults []string
		want   contents
	}{
		"the batch that names b": {
			func(b []byte) []byte { b[(ends[0]+ends[1])/2] ^= 1; return b },
			[]string{"batches 2 to 2 are lost", "log: damaged: " + log, "series number 2"},
			contents{"a": {0: 0, 4000: 4}, "lost+found;series=2": {3000: 3}, "c": {2000: 2, 5000: 5}},
		},
		"the end": {
			func(b []byte) []byte { return b[:ends[3]] },
			[]string{"batches 5 to 6 are lost"},
			contents{"a": {0: 0}, "b": {1000: 1, 3000: 3}, "c": {2000: 2}},
		},
		"all": {
			func([]byte) []byte { return nil },
			[]string{"batches 1 to 6 are lost"},
			contents{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			fs := files.with(log, tt.damage(slices.Clone(files[log]))).write(t)
			if _, err := Open(Options{Dir: "d", FS: fs}); !isDamage(err) {
				t.Fatalf("open: %v", err)
			}
			_, got, faults := repaired(t, fs)
			if !got.equal(tt.want) {
				t.Errorf("saved %v, want %v", got, tt.want)
			}
			for _, want := range tt.faults {
				if !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, want) }) {
					t.Errorf("told %q, want one of %q", faults, want)
				}
			}
		})
	}
}

// TestCheckRefuses: what is in use, or not ours, or not there, is no fault but an error, for Repair as well; nothing is changed.
func TestCheckRefuses(t *testing.T) {
	files, want := twoSeries(t)
	fs := files.write(t)
	if err := fs.MkdirAll("empty", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := fs.MkdirAll("foreign/notes", 0o700); err != nil {
		t.Fatal(err)
	}
	db := mustOpen(t, Options{Dir: "d", FS: fs})
	defer db.Close()
	is := func(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
	says := func(text string) func(error) bool {
		return func(err error) bool { return err != nil && strings.Contains(err.Error(), text) && !isDamage(err) }
	}
	for dir, right := range map[string]func(error) bool{
		"d":       is(blocks.ErrInUse),
		"empty":   says("is empty"),
		"foreign": says("holds notes and no data of metricd"),
		"nothing": is(os.ErrNotExist),
	} {
		if _, faults, err := checkAll(t, fs, dir); !right(err) || len(faults) > 0 {
			t.Errorf("check %s: %v, faults %q", dir, err, faults)
		}
		if _, err := Repair(t.Context(), CheckOptions{Dir: dir, FS: fs}, "new-"+dir); !right(err) {
			t.Errorf("repair %s: %v", dir, err)
		}
		if names, err := fs.List("new-" + dir); err == nil && len(names) > 0 {
			t.Errorf("a repair that failed left %v", names)
		}
	}
	if _, err := Repair(t.Context(), CheckOptions{Dir: "d", FS: fs}, "foreign"); !says("foreign is not empty")(err) {
		t.Errorf("repair into a directory that is not empty: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Check(ctx, CheckOptions{Dir: "d", FS: files.write(t)}); !errors.Is(err, context.Canceled) {
		t.Errorf("check with a context that is done: %v", err)
	}
	if _, got, err := readAll(t, db); err != nil || !got.equal(want) {
		t.Errorf("got %v, err %v", got, err)
	}
}

// unwritable is a file system on which no file for a lock can be made.
type unwritable struct{ vfs.FS }

func (unwritable) Lock(name string) (io.Closer, error) {
	return nil, &os.PathError{Op: "open", Path: name, Err: syscall.EROFS}
}

// TestCheckUnwritable: what can't be written to can be checked, which says that it was not locked as it should be.
func TestCheckUnwritable(t *testing.T) {
	files, _ := twoSeries(t)
	r, faults, err := checkAll(t, unwritable{files.write(t)}, "d")
	if err != nil || len(faults) > 0 || !errors.Is(r.Unlocked, syscall.EROFS) || r.Series != 2 {
		t.Errorf("%+v, %q, %v", r, faults, err)
	}
}

// TestChunksGone: without the chunks the log alone is not taken for a new store; what it has is saved.
func TestChunksGone(t *testing.T) {
	killed, _, _, _ := realStore(t)
	fs := killed.write(t)
	if err := fs.RemoveAll("d/chunks"); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Dir: "d", FS: fs}); !isDamage(err) {
		t.Errorf("open: %v", err)
	}
	if _, faults, err := checkAll(t, fs, "d"); err != nil || len(faults) == 0 {
		t.Errorf("check: faults %q, err %v", faults, err)
	}
	if _, got, faults := repaired(t, fs); got.samples() == 0 || len(faults) == 0 {
		t.Errorf("repair saved %d samples, and told %q", got.samples(), faults)
	}
}
