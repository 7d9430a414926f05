package storagetest

import (
	"fmt"
	"math/rand/v2"
)

func orderChecks() []check {
	return []check{
		{"FirstPut", orderOfFirstPut},
		{"InRange", orderInRange},
		{"Matched", orderMatched},
		{"SecondLife", orderOfSecondLife},
		{"Emptied", orderWhenEmptied},
		{"Shuffled", orderShuffled},
	}
}

func orderOfFirstPut(f *fixture) {
	f.put("m 5=1", "z 1=1", "a 9=1")
	f.put("a 1=1", "z 2=1", "k 1=1", "m 1=1")
	f.want(always(), "m 1=1 5=1", "z 1=1 2=1", "a 1=1 9=1", "k 1=1")
}

// orderInRange: a part of the times does not change the order of those who remain.
func orderInRange(f *fixture) {
	f.put("c 1=1", "b 2=1", "a 3=1")
	f.put("a 1=2", "c 2=2")
	f.want(between(1, 1), "c 1=1", "a 1=2")
	f.want(between(2, 2), "c 2=2", "b 2=1")
	f.want(between(2, 3), "c 2=2", "b 2=1", "a 3=1")
}

func orderMatched(f *fixture) {
	f.put("z;h=2 1=1", "y;h=1 1=1", "x;h=2 1=1", "w;h=1 1=1")
	f.want(where("h=~1|2"), "z;h=2 1=1", "y;h=1 1=1", "x;h=2 1=1", "w;h=1 1=1")
	f.want(where("h=1"), "y;h=1 1=1", "w;h=1 1=1")
	f.want(where("h!=1"), "z;h=2 1=1", "x;h=2 1=1")
}

// orderOfSecondLife: a series that was emptied and put again is new, hence last.
func orderOfSecondLife(f *fixture) {
	f.put("a 1=1", "b 1=1", "c 1=1")
	f.delete(byKey("a"))
	f.put("a 1=2")
	f.want(always(), "b 1=1", "c 1=1", "a 1=2")
	f.delete(byKey("b"))
	f.delete(byKey("c"))
	f.put("c 1=2", "d 1=2", "b 1=2")
	f.want(always(), "a 1=2", "c 1=2", "d 1=2", "b 1=2")
	f.delete(always())
	f.put("d 1=3", "c 1=3", "b 1=3", "a 1=3")
	f.want(always(), "d 1=3", "c 1=3", "b 1=3", "a 1=3")
}

// orderWhenEmptied: piece by piece is emptied, too; one sample left keeps the place.
func orderWhenEmptied(f *fixture) {
	f.put("a 1=1 2=2 3=3", "b 1=1 2=2 3=3", "c 1=1")
	for at := range int64(3) {
		f.delete(during(byKey("a"), at+1, at+1))
	}
	f.delete(during(byKey("b"), 2, 3))
	f.put("a 2=20", "b 2=20")
	f.want(always(), "b 1=1 2=20", "c 1=1", "a 2=20")
}

// orderShuffled: 2,000 series in an order that no sorting gives.
func orderShuffled(f *fixture) {
	rng := rand.New(rand.NewPCG(5, 6))
	var want []string
	for _, i := range rng.Perm(2000) {
		line := fmt.Sprintf("s%d;p=%d %d=1", i, i%7, rng.IntN(9))
		want = append(want, line)
	}
	f.put(want...)
	f.want(always(), want...)
}
