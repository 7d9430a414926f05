package wal

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// FuzzSegment opens arbitrary bytes as the only segment of a log. Replay takes them or says what is
// wrong, Salvage finds all that Replay does, and neither finds more than the bytes can hold. (The
// writing side is left out: its goroutines would make coverage a matter of luck.
// TestMangledSegments has it.)
func FuzzSegment(f *testing.F) {
	clean, killed, _ := writeLog(f)
	for _, files := range []logFiles{clean, killed} {
		for _, data := range files {
			data = slices.Clone(data)
			f.Add(data)
			f.Add(data[:len(data)-20])
			data[len(data)/2] ^= 1
			f.Add(data)
		}
	}
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		number := uint64(1)
		if h, err := parseHeader(data[:min(len(data), headerLen)], int64(len(data))); err == nil {
			if len(data) < headerLen || !bytes.Equal(h.append(nil), data[:headerLen]) {
				t.Fatalf("%+v is not what was decoded", h)
			}
			if h.number > 0 && h.number < 1e9 {
				number = h.number
			}
		}
		files := logFiles{segmentName(number): data}
		got, rec, err := replayFiles(t, files)
		each, salvaged := collect()
		srec, damages, serr := Salvage(Options{FS: files.fs(t), Dir: "log"}, each)
		if serr != nil || int(srec.Bytes) > len(data) {
			t.Fatalf("%+v, %v", srec, serr)
		}
		var corrupt *CorruptError
		if err != nil {
			if !errors.As(err, &corrupt) || len(damages) == 0 {
				t.Fatalf("%v; %v", err, damages)
			}
			return
		}
		wantEntries(t, (*salvaged)[:min(len(*salvaged), len(got))], got)
		if rec.Last < rec.Base || rec.Records != int64(len(got)) {
			t.Fatalf("%+v", rec)
		}
	})
}

// FuzzPrefix: what is taken encodes to what was decoded.
func FuzzPrefix(f *testing.F) {
	f.Add([]byte{0})
	f.Add(prefix{delta: 1, seq: 2, promise: 3}.append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, rest, ok := parsePrefix(data)
		if !ok {
			return
		}
		got, rest2, ok := parsePrefix(append(p.append(nil), rest...))
		if got != p || !bytes.Equal(rest, rest2) || !ok {
			t.Fatalf("%+v, then %+v", p, got)
		}
	})
}
