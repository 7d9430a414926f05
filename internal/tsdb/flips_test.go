package tsdb

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
	"metricd/internal/tsdb/blocks"
)

var (
	flips     = flag.Int("flips", 60, "how many files TestFlips damages; scripts/soak damages more")
	flipsSeed = flag.Uint64("flips-seed", 1, "of what is random in TestFlips")
)

// TestFlips damages one file of a real store, as a kill or a stop left it: flips a bit, cuts it off, or removes it. Opening or reading
// it is an error that names the file or the place, or all values are right. Check tells what was told by that. Repair saves
// nothing but what was once put, and if it tells nothing, everything.
func TestFlips(t *testing.T) {
	killed, stopped, keys, want := realStore(t)
	past := history(t)
	results := map[string]*outcome{}
	kinds := kindsOf(killed)
	for n := range few(*flips) {
		rnd := rand.New(rand.NewPCG(*flipsSeed, uint64(n)))
		kind := kinds[n%len(kinds)]
		files, of, state := stopped, filesOf(stopped, kind), "stopped"
		if len(of) == 0 || rnd.IntN(2) == 0 {
			files, of, state = killed, filesOf(killed, kind), "killed"
		}
		victim := of[rnd.IntN(len(of))]
		b, how := spoil(rnd, files[victim])
		if results[kind] == nil {
			results[kind] = &outcome{}
		}
		f := flip{t: t, name: fmt.Sprintf("trial %d: %s, %s %s", n, state, victim, how), files: files.with(victim, b), victim: victim}
		within(f.name, func() { f.run(keys, want, past, results[kind]) })
		if t.Failed() {
			return
		}
	}
	t.Logf("%-18s %6s %8s %8s %8s %9s %9s", "kind", "trials", "at open", "at read", "right", "in check", "all saved")
	for _, kind := range kinds {
		if r := results[kind]; r != nil {
			t.Logf("%-18s %6d %8d %8d %8d %9d %9d", kind, r.trials, r.open, r.read, r.right, r.check, r.saved)
		}
	}
}

// outcome counts trials.
type outcome struct{ trials, open, read, right, check, saved int }

// within fails the test if f takes too long.
func within(name string, f func()) {
	hung := time.AfterFunc(time.Minute, func() { panic(name + ": it hangs") })
	defer hung.Stop()
	f()
}

// fileKind is what a file is, its number left out.
func fileKind(p string) string {
	name := path.Base(p)
	if i := strings.LastIndex(name, "."); i > 0 && strings.HasPrefix(name, "marker.") {
		return strings.Join(strings.Split(name, ".")[:2], ".")
	}
	return strings.TrimRight(strings.TrimLeft(name, "0123456789"), "0123456789")
}

func kindsOf(files image) (kinds []string) {
	for p := range files {
		if k := fileKind(p); !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// filesOf returns the files of a kind.
func filesOf(files image, kind string) (of []string) {
	for p := range files {
		if fileKind(p) == kind {
			of = append(of, p)
		}
	}
	slices.Sort(of)
	return of
}

// spoil returns what becomes of a file, nil if it is removed.
func spoil(rnd *rand.Rand, b []byte) (spoiled []byte, how string) {
	switch n := rnd.IntN(10); {
	case len(b) == 0 || n == 0:
		return nil, "removed"
	case n <= 2:
		n := rnd.IntN(len(b))
		return append([]byte{}, b[:n]...), fmt.Sprintf("cut to %d of %d bytes", n, len(b))
	}
	bit := rnd.IntN(8 * len(b))
	b = bytes.Clone(b)
	b[bit/8] ^= 1 << (bit % 8)
	return b, fmt.Sprintf("bit %d of byte %d of %d flipped", bit%8, bit/8, len(b))
}

// flip is one trial.
type flip struct {
	t      *testing.T
	name   string
	files  image
	victim string
}

func (f flip) run(keys []string, want, past contents, o *outcome) {
	o.trials++
	told := f.open(keys, want, o)
	_, faults, err := checkAll(f.t, f.files.write(f.t), "d")
	if err != nil || len(faults) > 0 {
		o.check++
	} else if told {
		f.t.Errorf("%s: opening or reading is an error, and Check finds nothing", f.name)
	}
	f.repair(keys, want, past, o)
}

// open opens and reads, and says whether that was an error.
func (f flip) open(keys []string, want contents, o *outcome) (told bool) {
	fs := f.files.write(f.t)
	db, err := Open(Options{Dir: "d", FS: fs})
	if err != nil {
		o.open++
		f.named(err)
		if !imageOf(f.t, fs, "d").log().equal(f.files.log()) { // chunks were opened and closed again; package blocks tests that
			f.t.Errorf("%s: %v; but the log has changed", f.name, err)
		}
		return true
	}
	defer db.Close()
	if err := f.read(db, keys, want); err != nil {
		o.read++
		f.named(err)
		return true
	}
	// What a flush and a compaction read is told, too, in the first call that comes after.
	_, err = db.Appender().Append(batch(storage.Row{Key: []byte(keys[0]), T: 0, V: want[keys[0]][0]}))
	if err == nil {
		err = db.Flush()
	}
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		o.read++
		f.named(err)
		return true
	}
	if db, err = Open(Options{Dir: "d", FS: fs}); err != nil {
		f.t.Errorf("%s: all was right, and then it does not open: %v", f.name, err)
		return true
	}
	defer db.Close()
	if err := f.read(db, keys, want); err != nil { // of a compaction that has begun only now
		o.read++
		f.named(err)
		return true
	}
	o.right++
	return false
}

// read compares all that db holds. The error is one of reading.
func (f flip) read(db *DB, keys []string, want contents) error {
	gotKeys, got, err := readAll(f.t, db)
	if err == nil && (!slices.Equal(gotKeys, keys) || !got.equal(want)) {
		f.t.Errorf("%s: nothing was told, and what is read is wrong: %d series and %d samples, want %d and %d",
			f.name, len(gotKeys), got.samples(), len(keys), want.samples())
	}
	return err
}

// named wants an error to say which file, or which place in the chunks, in one line, and what to do.
func (f flip) named(err error) {
	text := err.Error()
	number := strings.TrimLeft(strings.TrimFunc(path.Base(f.victim), func(r rune) bool { return r < '0' || r > '9' }), "0")
	names := strings.Contains(text, path.Base(f.victim)) || number != "" && strings.Contains(text, number) || strings.Contains(text, path.Dir(f.victim))
	if !names || strings.Contains(text, "\n") || !strings.Contains(text, "metricd check d") && !errors.Is(err, blocks.ErrNewer) {
		f.t.Errorf("%s: %q should be a line that names the file and what to do", f.name, text)
	}
}

// repair repairs, and compares what was saved.
func (f flip) repair(keys []string, want, past contents, o *outcome) {
	fs := f.files.write(f.t)
	var faults []error
	_, err := Repair(f.t.Context(), CheckOptions{Dir: "d", FS: fs, Fault: func(err error) { faults = append(faults, err) }}, "new")
	if errors.Is(err, blocks.ErrNewer) {
		return
	}
	if err != nil {
		f.t.Errorf("%s: repair: %v", f.name, err)
		return
	}
	for _, err := range faults {
		if !isDamage(err) || strings.Contains(err.Error(), "\n") {
			f.t.Errorf("%s: %q should be a line that tells a damage", f.name, err)
		}
	}
	db, err := Open(Options{Dir: "new", FS: fs})
	if err != nil {
		f.t.Errorf("%s: after repair: %v", f.name, err)
		return
	}
	defer db.Close()
	gotKeys, got, err := readAll(f.t, db)
	if err != nil {
		f.t.Errorf("%s: after repair: %v", f.name, err)
		return
	}
	if len(faults) == 0 || !strings.HasSuffix(f.victim, ".sst") && !strings.HasSuffix(f.victim, ".wal") && !strings.Contains(f.victim, "MANIFEST") && !strings.Contains(f.victim, "marker.") {
		if !slices.Equal(gotKeys, keys) || !got.equal(want) {
			f.t.Errorf("%s: repair lost some: %d of %d samples; told: %v", f.name, got.samples(), want.samples(), faults)
		}
	}
	for key, samples := range got {
		if strings.HasPrefix(key, "lost+found;") {
			continue
		}
		for ts := range samples {
			if _, was := past[key][ts]; !was {
				f.t.Errorf("%s: repair made up a sample of %s at %d", f.name, key, ts)
			}
		}
	}
	if got.equal(want) {
		o.saved++
	}
}

// history returns all samples that realStore ever puts.
func history(t testing.TB) contents {
	t.Helper()
	past := contents{}
	for step := range realSteps {
		for _, r := range realRows(step) {
			key := string(r.Key)
			if past[key] == nil {
				past[key] = map[int64]float64{}
			}
			past[key][r.T] = r.V
		}
	}
	return past
}

// TestFlipsUnmarked damages the log of a store that was killed before anything was marked: what can't be told from a crash is
// damage to the very last sync. Whatever else there is, it is the samples up to some batch.
func TestFlipsUnmarked(t *testing.T) {
	fs := vfs.NewMem()
	db := mustOpen(t, Options{Dir: "d", FS: fs, markPause: time.Hour})
	const n = 100
	for i := range int64(n) {
		put(t, db, storage.Row{Key: []byte("n"), T: i, V: float64(i)})
	}
	files := imageOf(t, fs, "d")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(*flipsSeed, 0))
	lost := 0
	const log = "d/log/0000000001.wal"
	for range few(10 * *flips) {
		b := bytes.Clone(files[log])
		bit := rnd.IntN(8 * len(b))
		b[bit/8] ^= 1 << (bit % 8)
		db, err := Open(Options{Dir: "d", FS: files.with(log, b).write(t)})
		if err != nil {
			if !isDamage(err) || !strings.Contains(err.Error(), log) {
				t.Errorf("bit %d: %v", bit, err)
			}
			continue
		}
		_, got, err := readAll(t, db)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		there := len(got["n"])
		if there < n {
			lost++
		}
		if there < n-1 || there > 0 && got["n"][int64(there-1)] != float64(there-1) {
			t.Errorf("bit %d of byte %d of %d: %d of %d samples are there, and nothing was told", bit%8, bit/8, len(b), there, n)
		}
	}
	t.Logf("%d of %d flips cost the last sample", lost, 10**flips)
}
