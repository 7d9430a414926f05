package tsdb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"metricd/internal/storage"
)

func always() storage.Query { return storage.Query{Mint: storage.MinTime, Maxt: storage.MaxTime} }

func matching(t *testing.T, name string, typ storage.MatchType, value string) storage.Query {
	t.Helper()
	m, err := storage.NewMatcher(name, typ, value)
	if err != nil {
		t.Fatal(err)
	}
	q := always()
	q.Matchers = []storage.Matcher{m}
	return q
}

// putKeys appends a sample of each key.
func putKeys(t *testing.T, db *DB, keys ...string) {
	t.Helper()
	var b storage.Batch
	for _, key := range keys {
		b.Rows = append(b.Rows, storage.Row{Key: []byte(key), T: 1, V: 1})
	}
	if _, err := db.Appender().Append(&b); err != nil || len(b.Refused) > 0 {
		t.Fatal(err, b.Refused)
	}
}

// keysOf returns the keys that q selects.
func keysOf(ctx context.Context, db *DB, q storage.Query) (keys []string, err error) {
	set := db.Select(ctx, q)
	defer set.Close()
	for set.Next() {
		keys = append(keys, set.At().Key())
	}
	return keys, set.Err()
}

// TestNoIndexUnasked: who never asks by labels has no index.
func TestNoIndexUnasked(t *testing.T) {
	db := mustOpen(t, Options{})
	defer db.Close()
	putKeys(t, db, "a;x=1", "b;x=2", "c")
	byKey := always()
	byKey.Key = "b;x=2"
	for _, q := range []storage.Query{always(), byKey} {
		if _, err := keysOf(t.Context(), db, q); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.LabelNames(t.Context(), byKey); err != nil {
		t.Fatal(err)
	}
	if err := db.Delete(t.Context(), byKey); err != nil {
		t.Fatal(err)
	}
	if n := db.labels.Bytes(); n != 0 {
		t.Fatalf("an index of %d bytes that nobody wanted", n)
	}
	if keys, err := keysOf(t.Context(), db, matching(t, "x", storage.MatchEqual, "1")); err != nil || !slices.Equal(keys, []string{"a;x=1"}) {
		t.Fatal(keys, err)
	}
	st, err := db.Stats()
	if err != nil || db.labels.Bytes() == 0 || st.MemoryBytes != db.mu.bytes()+db.labels.Bytes() {
		t.Fatalf("%d bytes of %d are not counted: %v", db.labels.Bytes(), st.MemoryBytes, err)
	}
}

// TestIndexChurn: the index of series that come and go stays as large as for twice as many, and some.
func TestIndexChurn(t *testing.T) {
	db := mustOpen(t, Options{})
	defer db.Close()
	const live = 500
	var most int64
	for round := range 40 {
		var keys []string
		for i := range live {
			keys = append(keys, fmt.Sprintf("m;pod=%d-%d", round, i))
		}
		putKeys(t, db, keys...)
		want := fmt.Sprintf("m;pod=%d-77", round)
		if got, err := keysOf(t.Context(), db, matching(t, "pod", storage.MatchRegexp, ".*-77")); err != nil || !slices.Equal(got, []string{want}) {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
		if err := db.Delete(t.Context(), matching(t, "pod", storage.MatchNotEqual, "")); err != nil {
			t.Fatal(err)
		}
		most = max(most, db.labels.Bytes())
	}
	if most > 500_000 { // 4,096 and three times 500 of them take 45 bytes each, and with a list 45 more
		t.Errorf("the index grew to %d bytes", most)
	}
}

// TestIndexBesideWriters asks while series come and go: every answer has all series that stay, and none that does not match.
func TestIndexBesideWriters(t *testing.T) {
	db := mustOpen(t, Options{})
	defer db.Close()
	var stay []string
	for i := range 600 {
		stay = append(stay, fmt.Sprintf("stay;i=%03d", i))
	}
	putKeys(t, db, stay...)
	stop := make(chan struct{})
	var writers, readers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() {
			app := db.Appender()
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				b := batch()
				for i := range 50 {
					b.Rows = append(b.Rows, storage.Row{Key: fmt.Appendf(nil, "go;i=%d;w=%d", n*50+i, w), T: int64(n)})
				}
				q := storage.Query{Matchers: []storage.Matcher{mustMatch("w", storage.MatchEqual, fmt.Sprint(w))}, Mint: storage.MinTime, Maxt: int64(n) - 2}
				_, err := app.Append(b)
				if err = errors.Join(err, db.Delete(context.Background(), q)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	stayed := matching(t, "i", storage.MatchRegexp, "[0-9]{3}")
	stayed.Matchers = append(stayed.Matchers, mustMatch(storage.MetricName, storage.MatchEqual, "stay"))
	ranged := stayed
	ranged.Mint, ranged.Maxt = 1, 1
	for range 2 {
		readers.Go(func() {
			for range 150 {
				if keys, err := keysOf(context.Background(), db, stayed); err != nil || !slices.Equal(keys, stay) {
					t.Errorf("%d series, want %d: %v", len(keys), len(stay), err)
					return
				}
				for _, q := range []storage.Query{stayed, ranged} {
					if values, err := db.LabelValues(context.Background(), "i", q); err != nil || len(values) != len(stay) || values[7] != "007" {
						t.Errorf("%d values, want %d: %v", len(values), len(stay), err)
						return
					}
				}
				if names, err := db.LabelNames(context.Background(), always()); err != nil || !slices.Contains(names, "i") {
					t.Errorf("names %q: %v", names, err)
					return
				}
			}
		})
	}
	readers.Wait()
	close(stop)
	writers.Wait()
}

// TestLabelsEnd: names and values end with their context, and with the store.
func TestLabelsEnd(t *testing.T) {
	db := mustOpen(t, Options{})
	putKeys(t, db, "a;x=1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, q := range []storage.Query{always(), matching(t, "x", storage.MatchEqual, "1")} {
		if _, err := db.LabelValues(ctx, "x", q); !errors.Is(err, context.Canceled) {
			t.Errorf("LabelValues with a done context: %v", err)
		}
		if _, err := db.LabelNames(ctx, q); !errors.Is(err, context.Canceled) {
			t.Errorf("LabelNames with a done context: %v", err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.LabelValues(t.Context(), "x", always()); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("LabelValues of a closed store: %v", err)
	}
	if err := db.Delete(t.Context(), matching(t, "x", storage.MatchEqual, "1")); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("Delete of a closed store: %v", err)
	}
}
