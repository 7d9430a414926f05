package collect

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// round returns the i-th round, of n samples with keys of 6 bytes.
func round(i, n int) Round {
	return Round{At: time.Unix(int64(10*i), 0), Samples: slices.Repeat([]Sample{{"host.x", float64(i)}}, n)}
}

// TestQueue compares a queue with the obvious: all rounds that were pushed, less what was taken and what is too much.
func TestQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := queue{limit: rapid.IntRange(1, 2000).Draw(t, "limit")}
		var want []Round
		pushed, taken := 0, 0
		next := 0
		trim := func() {
			for size := 0; ; size = 0 {
				for _, r := range want {
					size += roundSize + len(r.Samples)*30
				}
				if size <= q.limit || len(want) <= 1 {
					return
				}
				want = want[1:]
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				r, ok := q.pop()
				if ok != (len(want) > 0) || ok && !r.At.Equal(want[0].At) {
					t.Fatalf("popped %v, %v, want of %v", r.At, ok, want)
				}
				if ok {
					want, taken = want[1:], taken+len(r.Samples)
				}
			case 1:
				if r, ok := q.pop(); ok {
					q.unpop(r)
				}
			default:
				r := round(next, rapid.IntRange(0, 9).Draw(t, "samples"))
				next++
				q.push(r)
				want, pushed = append(want, r), pushed+len(r.Samples)
				trim()
			}
			kept := 0
			for _, r := range want {
				kept += len(r.Samples)
			}
			if !slices.EqualFunc(q.rounds, want, func(a, b Round) bool { return a.At.Equal(b.At) }) {
				t.Fatalf("holds %v, want %v", q.rounds, want)
			}
			if q.samples != kept || q.dropped != pushed-taken-kept {
				t.Fatalf("counts %d samples and %d dropped, want %d and %d", q.samples, q.dropped, kept, pushed-taken-kept)
			}
		}
	})
}
