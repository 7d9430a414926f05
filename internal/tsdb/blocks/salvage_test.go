package blocks

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// salvaged is what Salvage visited, and what it told.
type salvaged struct {
	content
	damages []Damage
}

func salvage(t *testing.T, fs vfs.FS) salvaged {
	t.Helper()
	s := salvaged{content: newContent()}
	sum, err := Salvage(context.Background(), Options{Dir: testDir, FS: fs}, Visitor{
		Series: func(id uint64, record []byte) error {
			s.series[id] = string(record)
			return nil
		},
		State: func(state []byte) error {
			s.state = string(state)
			return nil
		},
		Chunk: func(window int64, id uint64, first int64, chunk []byte) error {
			s.chunks[place{window, id, first}] = string(chunk)
			return nil
		},
		Damage: func(d Damage) { s.damages = append(s.damages, d) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if sum.Damages != len(s.damages) || sum.Chunks != int64(len(s.chunks)) || sum.Series != int64(len(s.series)) {
		t.Errorf("summary %+v of %d damages, %d chunks, %d series", sum, len(s.damages), len(s.chunks), len(s.series))
	}
	return s
}

// told says whether something at p, of series records or chunks, was told to be lost, or a whole table was.
func (s salvaged) told(series bool, p place) bool {
	return slices.ContainsFunc(s.damages, func(d Damage) bool {
		if d.Lost == nil {
			return strings.Contains(d.Err.Error(), "nothing of this table") || strings.Contains(d.Err.Error(), "what it deletes")
		}
		before := func(q *Position) bool {
			switch {
			case q.Window != p.window:
				return q.Window < p.window
			case q.ID != p.id:
				return q.ID < p.id
			}
			return q.First <= p.first
		}
		after, end := d.Lost.After, d.Lost.Before
		return d.Lost.Series == series && (after == nil || before(after)) && (end == nil || !before(end) || *end == *after)
	})
}

// compare says what is missing or wrong and was not told.
func (s salvaged) compare(t *testing.T, want content) {
	t.Helper()
	for id, record := range want.series {
		if s.series[id] != record && !s.told(true, place{id: id}) {
			t.Errorf("series %d is %q, want %q; told: %v", id, s.series[id], record, s.damages)
		}
	}
	for p, chunk := range want.chunks {
		if s.chunks[p] != chunk && !s.told(false, p) {
			t.Errorf("chunk %v is %q, want %q; told: %v", p, s.chunks[p], chunk, s.damages)
		}
	}
	for p := range s.chunks {
		if _, is := want.chunks[p]; !is && len(s.damages) == 0 {
			t.Errorf("chunk %v was deleted", p)
		}
	}
	for _, d := range s.damages {
		if !errors.Is(d.Err, ErrDamaged) || strings.Contains(d.Err.Error(), "\n") {
			t.Errorf("%q should be a line, and an ErrDamaged", d.Err)
		}
	}
}

// TestSalvage: of a sound store all is salvaged and nothing told. Of one with a damaged file, or without it, all that is not
// salvaged is told.
func TestSalvage(t *testing.T) {
	all, want := realStore(t)
	s := salvage(t, all.write(t, "", nil))
	s.compare(t, want)
	if len(s.damages) > 0 || s.diff(want) != "" {
		t.Errorf("a sound store: told %v; %s", s.damages, s.diff(want))
	}
	rng := newRand(5)
	for name, b := range all {
		for range min(4, len(b)) {
			c := bytes.Clone(b)
			bit := rng.IntN(8 * len(b))
			c[bit/8] ^= 1 << (bit % 8)
			salvage(t, all.write(t, name, c)).compare(t, want)
			s := salvage(t, all.write(t, name, b[:rng.IntN(len(b))]))
			s.compare(t, want)
			if strings.HasSuffix(name, tableSuffix) && len(s.damages) == 0 && s.diff(want) != "" {
				t.Errorf("%s was cut, and nothing was told", name)
			}
		}
		fs := all.write(t, "", nil)
		if err := fs.Remove(fs.PathJoin(testDir, name)); err != nil {
			t.Fatal(err)
		}
		s := salvage(t, fs)
		if kind(name) != tableSuffix {
			s.compare(t, want)
			continue
		}
		if len(s.damages) == 0 && s.diff(want) != "" {
			t.Errorf("%s is gone and nothing was told", name)
		}
	}
}

// TestSalvageSkipsOnlyDamage: of many chunks of one series, those of the damaged block are lost, told to the chunk, and no other.
func TestSalvageSkipsOnlyDamage(t *testing.T) {
	fs := vfs.NewMem()
	st := mustOpen(t, Options{FS: fs})
	const n = 3000
	b := st.NewBatch()
	for i := range int64(n) {
		b.PutChunk(0, 7, i*1000, []byte(strings.Repeat("x", 1000)))
	}
	if err := errors.Join(b.Commit(), b.Close(), st.Flush(Marks{})); err != nil {
		t.Fatal(err)
	}
	mustClose(t, st)
	all := readFiles(t, fs, testDir)
	biggest := ""
	for name := range all {
		if kind(name) == ".sst" && len(all[name]) > len(all[biggest]) {
			biggest = name
		}
	}
	spoiled := bytes.Clone(all[biggest])
	spoiled[len(spoiled)/2] ^= 4
	s := salvage(t, all.write(t, biggest, spoiled))
	if len(s.damages) != 1 || s.damages[0].Lost == nil {
		t.Fatalf("told %v, want one stretch", s.damages)
	}
	lost := s.damages[0].Lost
	missing := int((lost.Before.First-lost.After.First)/1000) - 1
	if missing < 1 || missing > 20 || len(s.chunks) != n-missing {
		t.Errorf("%d chunks from %v to %v were told lost, and %d of %d are there", missing, lost.After, lost.Before, len(s.chunks), n)
	}
}
