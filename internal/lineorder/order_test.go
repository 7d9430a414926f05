package lineorder

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"metricd/internal/storage"
)

// orderUser does with an Order what a session does, against a store that numbers keys.
type orderUser struct {
	o       Order
	refs    map[string]storage.Ref
	rows    []string
	learned []Learned
	hits    int
}

func newOrderUser(budget int) *orderUser {
	u := &orderUser{refs: map[string]storage.Ref{}}
	left := new(atomic.Int64)
	left.Store(int64(budget))
	u.o = New("put ", left)
	return u
}

func (u *orderUser) put(t *testing.T, key string) {
	t.Helper()
	expected, ref := u.o.Next()
	var at int
	if string(expected) == "put "+key+" " {
		u.hits++
		at = u.o.Step()
	} else {
		at, ref = u.o.Look([]byte(key))
	}
	if ref != 0 && ref != u.refs[key] {
		t.Fatalf("put of %q is taken for %v, want %v", key, ref, u.refs[key])
	}
	if ref == 0 && at >= 0 {
		u.learned = append(u.learned, Learned{len(u.rows), at})
	}
	u.rows = append(u.rows, key)
}

// flush ends a batch: the store names the series; it refuses keys that begin with '!'.
func (u *orderUser) flush() {
	for _, l := range u.learned {
		key := u.rows[l.Row]
		if u.refs[key] == 0 && key[0] != '!' {
			u.refs[key] = storage.Ref(len(u.refs) + 1)
		}
		u.o.Learn(l.At, u.refs[key])
	}
	u.rows, u.learned = u.rows[:0], u.learned[:0]
}

func TestOrderFollows(t *testing.T) {
	keys := make([]string, 1000)
	for i := range keys {
		keys[i] = fmt.Sprintf("host_%d.cpu", i)
	}
	u := newOrderUser(Budget)
	round := func(keys []string) (hits int) {
		u.hits = 0
		for i, k := range keys {
			u.put(t, k)
			if i%100 == 99 {
				u.flush()
			}
		}
		u.flush()
		return u.hits
	}
	round(keys)
	round(keys) // the first few are learned only now
	if hits := round(keys); hits != 1000 {
		t.Errorf("%d of 1,000 puts in the same order were expected", hits)
	}
	// Some series are missing, as when a process has ended; and back again.
	if hits := round(append(keys[:500:500], keys[503:]...)); hits < 990 {
		t.Errorf("%d of 997 puts were expected with three left out", hits)
	}
	if hits := round(keys); hits < 990 {
		t.Errorf("%d of 1,000 puts were expected with three back", hits)
	}
	// A new series in the middle is learned, once.
	more := append(append(keys[:300:300], "new"), keys[300:]...)
	round(more)
	if hits := round(more); hits < 990 {
		t.Errorf("%d of 1,001 puts were expected in the round after a new series", hits)
	}
}

// TestOrderRandom: whatever comes in whatever order, a series is never taken for another, and
// the memory is bounded.
func TestOrderRandom(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		u := newOrderUser(rnd.IntN(1000))
		keys := 1 + rnd.IntN(30)
		next := 0
		for range 3000 {
			switch rnd.IntN(12) {
			case 0:
				next = rnd.IntN(keys)
			case 1:
				next += rnd.IntN(4)
			case 2:
				u.flush()
			default:
				next++
			}
			name := fmt.Sprintf("k%d", next%keys)
			if next%keys == 5 {
				name = "!refused"
			}
			u.put(t, name)
		}
	}
	u := newOrderUser(Budget)
	for i := range 3 * maxEntries {
		u.put(t, fmt.Sprintf("key_%0100d", i))
		u.flush()
	}
	if len(u.o.ends) > maxEntries || len(u.o.text) > maxText {
		t.Errorf("%d entries, %d bytes of text", len(u.o.ends), len(u.o.text))
	}
	if left := u.o.budget.Load(); left < Budget-maxText-12*maxEntries || left > Budget-maxText/2 {
		t.Errorf("%d bytes of the budget are left", left)
	}
	u.o.Forget()
	if left := u.o.budget.Load(); left != Budget {
		t.Errorf("%d bytes of the budget are left at the end, want all %d", left, Budget)
	}
}
