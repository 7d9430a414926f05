package storagetest

import (
	"fmt"
	"slices"

	"metricd/internal/storage"
)

func lifeChecks() []check {
	return []check{
		{"End", seriesEnd},
		{"NewSpelling", newSpelling},
		{"RememberedByAppender", rememberedByAppender},
		{"ManyLives", manyLives},
		{"DeletedUnderReader", deletedUnderReader},
	}
}

// seriesEnd: a series without samples is nowhere.
func seriesEnd(f *fixture) {
	f.put("a;x=1 1=1 2=2", "b;y=1 1=1")
	f.delete(during(byKey("a;x=1"), 1, 1))
	f.want(where("x=1"), "a;x=1 2=2")
	f.delete(during(byKey("a;x=1"), 2, 2))
	f.want(always(), "b;y=1 1=1")
	f.want(byKey("a;x=1"))
	f.wantNames(always(), storage.MetricName, "y")
	f.wantValues("x", always())
	f.wantValues(storage.MetricName, always(), "b")
	if n := f.stats().Series; n != 1 {
		f.Errorf("%d series, want 1", n)
	}
	f.put("a;x=1 1=9")
	f.want(where("x=1"), "a;x=1 1=9")
	if n := f.stats().Series; n != 2 {
		f.Errorf("%d series, want 2", n)
	}
}

// newSpelling: a second life has a first spelling of its own.
func newSpelling(f *fixture) {
	f.put("a;x=1;y=2 1=1")
	f.delete(byKey("a;x=1;y=2"))
	f.put("a;y=2;x=1 1=2")
	f.put("a;x=1;y=2 2=3")
	f.want(always(), "a;y=2;x=1 1=2 2=3")
	f.want(byKey("a;x=1;y=2"), "a;y=2;x=1 1=2 2=3")
}

// rememberedByAppender: an Appender that learned the same rows for long goes on with them
// after some of the series ended and others were born.
func rememberedByAppender(f *fixture) {
	other := f.store.Appender()
	var in sender
	same := []string{"a 1=1", "b 1=1", "c;x=1 1=1", "d 1=1"}
	for range 5 {
		f.put(same...)
	}
	f.delete(byKey("b"))
	f.put("a 2=2", "b 2=2", "c;x=1 2=2", "d 2=2")
	f.compare("", always(), []string{"a 1=1 2=2", "c;x=1 1=1 2=2", "d 1=1 2=2", "b 2=2"})
	f.delete(always())
	if _, _, err := in.send(other, row{"new", 3, 3}, row{"c;x=1", 3, 3}); err != nil {
		f.Fatalf("Append: %v", err)
	}
	f.put("a 4=4", "b 4=4", "c;x=1 4=4", "d 4=4")
	f.compare("", always(), []string{"new 3=3", "c;x=1 3=3 4=4", "a 4=4", "b 4=4", "d 4=4"})
	f.delete(where("x=1"))
	if _, _, err := in.send(other, row{"c;x=1", 5, 5}, row{"new", 5, 5}); err != nil {
		f.Fatalf("Append: %v", err)
	}
	f.put("d 6=6")
	f.want(always(), "new 3=3 5=5", "a 4=4", "b 4=4", "d 4=4 6=6", "c;x=1 5=5")
}

// manyLives: a hundred series die and are born again, again and again.
func manyLives(f *fixture) {
	const n = 100
	for life := range 12 {
		var want []string
		for i := range n {
			want = append(want, fmt.Sprintf("s%d;p=%d %d=%d", (i*37+life)%n, i%2, i, life))
		}
		f.put(want...)
		f.want(always(), want...)
		f.wantCounts(n, n)
		f.delete(where("p=0"))
		f.delete(where("p=1"))
		f.want(always())
	}
}

// deletedUnderReader: a series that was found and then ended, and one that began its next
// life, show nothing of what was deleted before their iterators were made.
func deletedUnderReader(f *fixture) {
	f.put("a 1=1 2=2", "b 1=1 2=2", "c 1=1 2=2")
	set := f.store.Select(f.Context(), always())
	defer set.Close()
	var found []storage.Series
	for range 3 {
		if !set.Next() {
			f.Fatalf("ended early: %v", set.Err())
		}
		found = append(found, set.At())
	}
	f.delete(byKey("a"))
	f.delete(byKey("b"))
	f.delete(during(byKey("c"), 1, 1))
	f.put("b 3=3")
	for _, s := range found {
		samples, err := drain(s.Iterator(nil))
		got := text([]series{{key: s.Key(), samples: samples}})[0]
		ok := map[string][]string{"a": {"a"}, "b": {"b", "b 3=3"}, "c": {"c 2=2"}}[s.Key()]
		if err != nil || !slices.Contains(ok, got) {
			f.Errorf("got %q, %v, want one of %q", got, err, ok)
		}
	}
}
