package wal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// logFiles are the files of a log by name; written to a file system of its own by fs.
type logFiles map[string][]byte

func readFiles(t testing.TB, fs vfs.FS, dir string) logFiles {
	t.Helper()
	names, err := fs.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := logFiles{}
	for _, name := range names {
		f, err := fs.Open(fs.PathJoin(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if files[name], err = io.ReadAll(f); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return files
}

func (files logFiles) fs(t testing.TB) vfs.FS {
	t.Helper()
	fs := vfs.NewCrashableMem()
	if err := fs.MkdirAll("log", 0o700); err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		f, err := fs.Create("log/"+name, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(slices.Clone(data)); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return fs
}

func replayFiles(t testing.TB, files logFiles) ([]entry, Recovery, error) {
	t.Helper()
	each, got := collect()
	rec, err := Replay(Options{FS: files.fs(t), Dir: "log"}, each)
	return *got, rec, err
}

// writeLog makes a log of three segments with ten records each, synced one by one, and returns its files
// as a clean end leaves them, and as the end of the process leaves them.
func writeLog(t testing.TB) (clean, killed logFiles, want []entry) {
	t.Helper()
	fs := vfs.NewCrashableMem()
	l, _, _ := mustOpen(t, Options{FS: fs, Dir: "log"})
	want = entries(0, 30)
	for _, e := range want {
		mustAppend(t, l, e)
		if err := l.Wait(bg, e.seq); err != nil {
			t.Fatal(err)
		}
		if e.seq%10 == 0 && e.seq < 30 {
			if _, err := l.Rotate(); err != nil {
				t.Fatal(err)
			}
		}
	}
	killed = readFiles(t, fs.CrashClone(vfs.CrashCloneCfg{}), "log")
	mustClose(t, l)
	return readFiles(t, fs, "log"), killed, want
}

// TestEveryBitFlipped flips each bit of a log. After a clean end each is an error or changes
// nothing. After a crash the same holds but for what came with the last sync of the last segment:
// that may be missing.
func TestEveryBitFlipped(t *testing.T) {
	clean, killed, want := writeLog(t)
	for name, test := range map[string]struct {
		files    logFiles
		mayMiss  int
		lastName string
	}{
		"clean":  {clean, 0, segmentName(3)},
		"killed": {killed, 1, segmentName(3)},
	} {
		t.Run(name, func(t *testing.T) {
			var errs, same, short int
			for file, data := range test.files {
				for bit := range len(data) * 8 {
					data[bit/8] ^= 1 << (bit % 8)
					got, rec, err := replayFiles(t, test.files)
					data[bit/8] ^= 1 << (bit % 8)
					var corrupt *CorruptError
					switch {
					case errors.As(err, &corrupt):
						errs++
						if !strings.Contains(corrupt.File, file) || corrupt.Offset > int64(len(data)) {
							t.Fatalf("%s, bit %d of byte %d: %v", file, bit%8, bit/8, err)
						}
					case err != nil:
						t.Fatalf("%s, bit %d of byte %d: %v", file, bit%8, bit/8, err)
					case slices.Equal(got, want):
						same++
					default:
						wantEntries(t, got, want[:max(len(got), len(want)-test.mayMiss)])
						if short++; file != test.lastName || rec.Torn == nil || rec.Torn.Offset > int64(bit/8) {
							t.Fatalf("%s, bit %d of byte %d: %+v", file, bit%8, bit/8, rec)
						}
					}
				}
			}
			t.Logf("%d errors, %d without effect, %d lost the last record", errs, same, short)
			if errs < same {
				t.Errorf("%d errors only", errs)
			}
		})
	}
}

// TestCutAndMissingFiles takes away ends of files, and files.
func TestCutAndMissingFiles(t *testing.T) {
	clean, _, want := writeLog(t)
	first, middle, last := segmentName(1), segmentName(2), segmentName(3)
	trailer := chunkLen
	for _, name := range []string{first, middle} {
		for n := range len(clean[name]) {
			files := logFiles{first: clean[first], middle: clean[middle], last: clean[last]}
			files[name] = clean[name][:n]
			got, _, err := replayFiles(t, files)
			var corrupt *CorruptError
			if err == nil && n >= len(clean[name])-trailer-headerLen {
				wantEntries(t, got, want) // only what is behind the end that the next header names
			} else if !errors.As(err, &corrupt) {
				t.Fatalf("%s cut to %d of %d bytes: %v", name, n, len(clean[name]), err)
			}
		}
	}
	for n := range len(clean[last]) {
		got, rec, err := replayFiles(t, logFiles{first: clean[first], middle: clean[middle], last: clean[last][:n]})
		if err != nil {
			t.Fatalf("the last segment cut to %d bytes: %v", n, err)
		}
		wantEntries(t, got, want[:len(got)])
		if rec.Clean || len(got) < 20 {
			t.Fatalf("cut to %d bytes: %+v", n, rec)
		}
	}
	for _, test := range []struct {
		name  string
		files logFiles
		want  string
	}{
		{"a segment is missing", logFiles{first: clean[first], last: clean[last]}, "the file is missing"},
		{"a segment under another number", logFiles{first: clean[middle]}, "it was written as segment 2"},
		{"text", logFiles{first: []byte("hello")}, "not a segment"},
		{"text that is long", logFiles{first: []byte(strings.Repeat("hello", 100))}, "not a segment"},
		{"a foreign name", logFiles{"1.wal": nil}, "not the name of a segment"},
		{"number 0", logFiles{segmentName(0): nil}, "not the name of a segment"},
		{"an unfinished segment that is not the last", logFiles{first: nil, middle: clean[middle]}, "header is not whole"},
	} {
		_, _, err := replayFiles(t, test.files)
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	// A segment of another log, and one of another version.
	other, _, _ := writeLog(t)
	if _, _, err := replayFiles(t, logFiles{first: clean[first], middle: other[middle]}); err == nil || !strings.Contains(err.Error(), "another log") {
		t.Errorf("a segment of another log: %v", err)
	}
	newer := slices.Clone(clean[first])
	newer[8] = 2
	if _, _, err := replayFiles(t, logFiles{first: newer}); err == nil || !strings.Contains(err.Error(), "format version 2 is unknown") {
		t.Errorf("a newer version: %v", err)
	}
	if _, _, err := replayFiles(t, logFiles{"notes.txt": []byte("x"), first: clean[first]}); err != nil {
		t.Errorf("another file: %v", err)
	}
}

// TestCrashWhileSegmentIsMade: whatever is there of a header, the log opens and goes on.
func TestCrashWhileSegmentIsMade(t *testing.T) {
	clean, _, want := writeLog(t)
	head := clean[segmentName(3)][:headerLen]
	for n := range headerLen {
		for _, torn := range [][]byte{head[:n], append(slices.Clone(head[:n]), make([]byte, headerLen-n)...)} {
			fs := logFiles{segmentName(1): clean[segmentName(1)], segmentName(2): clean[segmentName(2)], segmentName(3): torn}.fs(t)
			l, rec, got := mustOpen(t, Options{FS: fs, Dir: "log"})
			wantEntries(t, got, want[:20])
			if rec.Torn == nil || rec.Clean {
				t.Fatalf("%d bytes of a header: %+v", n, rec)
			}
			mustAppend(t, l, entry{21, "again"})
			mustClose(t, l)
			_, _, got = mustOpen(t, Options{FS: fs, Dir: "log"})
			wantEntries(t, got, append(slices.Clone(want[:20]), entry{21, "again"}))
		}
	}
}

// TestTornEndStaysLegal: after a torn end is dropped and more is written, the file with the torn
// end is as good as before; but what was valid of it may not be cut.
func TestTornEndStaysLegal(t *testing.T) {
	_, killed, want := writeLog(t)
	last := segmentName(3)
	killed[last] = append(killed[last][:len(killed[last])-5], 1, 2, 3, 4, 5, 6, 7, 8, 9)
	fs := killed.fs(t)
	for round := range 3 {
		l, rec, got := mustOpen(t, Options{FS: fs, Dir: "log"})
		wantEntries(t, got, want)
		if (round == 0) != (rec.Torn != nil) {
			t.Fatalf("round %d: %+v", round, rec)
		}
		more := entry{rec.Last + 5, "more"}
		mustAppend(t, l, more)
		want = append(want, more)
		mustClose(t, l)
	}
	files := readFiles(t, fs, "log")
	files[last] = files[last][:len(files[last])-30]
	if _, _, err := replayFiles(t, files); err == nil || !strings.Contains(err.Error(), last) {
		t.Fatalf("cut before the torn end: %v", err)
	}
}

// TestSalvage damages one byte at a time, in blocks that matter, and expects all the other records.
func TestSalvage(t *testing.T) {
	clean, killed, want := writeLog(t)
	for _, files := range []logFiles{clean, killed} {
		for name, data := range files {
			for at := range data {
				data[at] ^= 0x41
				each, got := collect()
				rec, damages, err := Salvage(Options{FS: files.fs(t), Dir: "log"}, each)
				data[at] ^= 0x41
				if err != nil || rec.Records != int64(len(*got)) || len(*got) < len(want)-1 {
					t.Fatalf("%s, byte %d: %d records, %v, %v", name, at, len(*got), damages, err)
				}
				for _, e := range *got {
					if want[e.seq-1] != e {
						t.Fatalf("%s, byte %d: sequence %d is %q", name, at, e.seq, e.rec)
					}
				}
				if len(*got) < len(want) && len(damages) == 0 {
					t.Fatalf("%s, byte %d: a record is missing and no damage was found", name, at)
				}
			}
		}
	}
	each, got := collect()
	_, damages, err := Salvage(Options{FS: clean.fs(t), Dir: "log"}, each)
	if err != nil || len(damages) != 0 {
		t.Fatalf("nothing is damaged: %v, %v", damages, err)
	}
	wantEntries(t, *got, want)

	delete(clean, segmentName(2))
	clean["x.wal"] = nil
	each, got = collect()
	if _, damages, err = Salvage(Options{FS: clean.fs(t), Dir: "log"}, each); err != nil || len(damages) != 2 {
		t.Fatalf("%v, %v", damages, err)
	}
	wantEntries(t, *got, append(slices.Clone(want[:10]), want[20:]...))
}

// TestMangledSegments opens segments with parts changed, cut, moved and inserted. What opens can be appended
// to and opened again.
func TestMangledSegments(t *testing.T) {
	clean, killed, _ := writeLog(t)
	rng := rand.New(rand.NewPCG(5, 5))
	var opened int
	for i := range 3000 {
		number := 1 + rng.Uint64N(3)
		data := slices.Clone([]logFiles{clean, killed}[i%2][segmentName(number)])
		for range rng.IntN(4) {
			at := rng.IntN(len(data))
			switch rng.IntN(4) {
			case 0:
				data[at] ^= byte(1 + rng.IntN(255))
			case 1:
				data = data[:at+1]
			case 2:
				copy(data[rng.IntN(len(data)):], data[at:])
			case 3:
				data = slices.Insert(data, at, make([]byte, rng.IntN(40))...)
			}
		}
		files := logFiles{segmentName(number): data}
		got, rec, err := replayFiles(t, files)
		each, salvaged := collect()
		_, damages, serr := Salvage(Options{FS: files.fs(t), Dir: "log"}, each)
		if serr != nil || (err != nil && len(damages) == 0) {
			t.Fatalf("Replay: %v; Salvage: %v, %v", err, damages, serr)
		}
		if err != nil {
			continue
		}
		opened++
		wantEntries(t, (*salvaged)[:min(len(*salvaged), len(got))], got)
		fs := files.fs(t)
		l, _, _ := mustOpen(t, Options{FS: fs, Dir: "log"})
		more := entry{rec.Last + 1, "more"}
		mustAppend(t, l, more)
		mustClose(t, l)
		l, _, again := mustOpen(t, Options{FS: fs, Dir: "log"})
		wantEntries(t, again, append(got, more))
		mustClose(t, l)
	}
	if opened < 500 {
		t.Errorf("%d opened only", opened)
	}
}

// TestReaderAgreesWithPebble reads random records with package record and with chunkReader.
func TestReaderAgreesWithPebble(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for round := range 200 {
		fs := vfs.NewMem()
		f, err := fs.Create("x", vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		f.Write(make([]byte, headerLen))
		w := newWriter(record.NewLogWriter, io.Writer(f), 9, record.LogWriterConfig{WriteWALSyncOffsets: func() bool { return false }})
		var want []string
		for range rng.IntN(60) {
			n := rng.IntN(100)
			switch rng.IntN(8) {
			case 0:
				n = rng.IntN(4 * blockSize)
			case 1: // ends near the end of a block
				n = max(0, blockSize-int(w.Size()%blockSize)-chunkLen-rng.IntN(14))
			}
			want = append(want, strings.Repeat("r", n))
			if _, err := w.WriteRecord([]byte(want[len(want)-1])); err != nil {
				t.Fatal(err)
			}
		}
		size := headerLen + w.Size()
		w.Close()

		f, err = fs.Open("x")
		if err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		c := newChunkReader(f, info.Size(), 9)
		for i, rec := range want {
			if _, got, err := c.next(); err != nil || string(got) != rec {
				t.Fatalf("round %d, record %d of %d bytes: %d bytes, %v", round, i, len(rec), len(got), err)
			}
		}
		var stop *stopError
		if start, _, err := c.next(); !errors.As(err, &stop) || !stop.clean || start != size {
			t.Fatalf("round %d: %v at %d, want the trailer at %d", round, err, start, size)
		}
		if at, err := c.promiseBehind(headerLen); at != 0 || err != nil {
			t.Fatal(at, err)
		}
	}
}

// TestRecordsThatDoNotCheck: the checksum is right, what is in the record is not.
func TestRecordsThatDoNotCheck(t *testing.T) {
	for _, test := range []struct {
		rec  []byte
		want string
	}{
		{[]byte{}, "no valid beginning"},
		{[]byte{0, 'x'}, "no valid beginning"},
		{prefix{promise: 1000}.append(nil), "promises what is behind it"},
		{prefix{delta: 1, seq: 5}.append(nil), "sequence 5 should follow 4, but it follows 0"},
		{prefix{delta: 2, seq: 2, promise: headerLen}.append(nil), ""},
	} {
		var out bytes.Buffer
		out.Write(header{id: 1, number: 1}.append(nil))
		w := newWriter(record.NewLogWriter, io.Writer(&out), 1, record.LogWriterConfig{WriteWALSyncOffsets: func() bool { return false }})
		if _, err := w.WriteRecord(test.rec); err != nil {
			t.Fatal(err)
		}
		w.Close()
		_, _, err := replayFiles(t, logFiles{segmentName(1): out.Bytes()})
		if (test.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v", test.rec, err)
		}
	}
}

func TestPrefix(t *testing.T) {
	for _, p := range []prefix{{}, {promise: 1}, {delta: 1, seq: 1}, {delta: 1 << 62, seq: 1<<64 - 1, promise: 1 << 62}, {delta: 3, seq: 300, promise: 77}} {
		b := p.append(nil)
		got, rest, ok := parsePrefix(b)
		if got != p || len(rest) != 0 || !ok {
			t.Errorf("%+v: %+v, %q, %v", p, got, rest, ok)
		}
		for n := range b {
			if _, _, ok := parsePrefix(b[:n]); ok && fmt.Sprint(p) != "{0 0 0}" {
				t.Errorf("%+v cut to %d bytes is taken", p, n)
			}
		}
	}
}
