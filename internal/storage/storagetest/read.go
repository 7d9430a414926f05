package storagetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"metricd/internal/storage"
)

// sample is a sample with its value as bits, so that == compares what is promised.
type sample struct {
	t    int64
	bits uint64
}

// series is a series as it was read.
type series struct {
	key     string
	labels  storage.Labels
	samples []sample
}

// read selects q and reads it to the end, as the usual loop does, on any goroutine.
func read(ctx context.Context, s storage.Store, q storage.Query) ([]series, error) {
	set := s.Select(ctx, q)
	defer set.Close()
	var all []series
	var it storage.Iterator
	for set.Next() {
		at := set.At()
		it = at.Iterator(it)
		samples, err := drain(it)
		all = append(all, series{at.Key(), at.Labels(), samples})
		if err != nil {
			return all, err
		}
	}
	return all, set.Err()
}

// drain reads an iterator to its end, and that it stays there.
func drain(it storage.Iterator) ([]sample, error) {
	var samples []sample
	for it.Next() {
		samples = append(samples, at(it))
	}
	if it.Err() == nil && (it.Next() || it.SkipTo(math.MinInt64)) {
		return samples, errors.New("an iterator went on after its end")
	}
	return samples, it.Err()
}

// at returns the sample at hand.
func at(it storage.Iterator) sample {
	t, v := it.At()
	return sample{t, math.Float64bits(v)}
}

// wellFormed checks what holds for every result when nobody writes meanwhile.
func wellFormed(all []series, q storage.Query) error {
	seen := map[string]bool{}
	for _, s := range all {
		if len(s.samples) == 0 {
			return fmt.Errorf("%q has no samples", s.key)
		}
		if want := storage.ParseKey(s.key); !s.labels.Equal(want) {
			return fmt.Errorf("%q has the labels %q, want %q", s.key, s.labels, want)
		}
		id := string(storage.AppendKey(nil, s.labels))
		if seen[id] {
			return fmt.Errorf("%q comes twice", id)
		}
		seen[id] = true
		if err := ascending(s.samples, q); err != nil {
			return fmt.Errorf("%q: %w", s.key, err)
		}
	}
	return nil
}

// ascending checks that each time comes once, in order, within q.
func ascending(samples []sample, q storage.Query) error {
	for i, s := range samples {
		if i > 0 && s.t <= samples[i-1].t {
			return fmt.Errorf("time %d after %d", s.t, samples[i-1].t)
		}
		if s.t < q.Mint || s.t > q.Maxt {
			return fmt.Errorf("time %d is outside [%d,%d]", s.t, q.Mint, q.Maxt)
		}
	}
	return nil
}

// text writes series as lines. A NaN is shown by its bits.
func text(all []series) []string {
	lines := make([]string, len(all))
	for i, s := range all {
		line := []byte(s.key)
		for _, p := range s.samples {
			line = append(line, ' ')
			line = strconv.AppendInt(line, p.t, 10)
			line = append(line, '=')
			if v := math.Float64frombits(p.bits); math.IsNaN(v) {
				line = fmt.Appendf(line, "NaN:%x", p.bits)
			} else {
				line = strconv.AppendFloat(line, v, 'g', -1, 64)
			}
		}
		lines[i] = string(line)
	}
	return lines
}
