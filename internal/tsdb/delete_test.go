package tsdb

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
)

// TestDeleteOfAllThatIsShown: a series of which Delete leaves nothing but what retention hides is gone at once, from figures, limits
// and its place; one that was hidden before keeps what the removal does not name.
func TestDeleteOfAllThatIsShown(t *testing.T) {
	for _, where := range []string{"memory", "frozen", "chunks"} {
		t.Run(where, func(t *testing.T) {
			clk := newClock(someDay)
			o := Options{Dir: "d", FS: vfs.NewMem(), Retention: 10 * day, Now: clk.now, MaxSeries: 2}
			db := mustOpen(t, o)
			defer func() { db.Close() }()
			old, gone, young := clk.before(9*day), clk.before(8*day), clk.before(day)
			for _, err := range []error{
				putAt(t, db, "a", old, 1), putAt(t, db, "a", young, 2), // its newest is removed
				putAt(t, db, "b", old, 3), putAt(t, db, "b", gone, 4), // hidden
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			switch where {
			case "frozen":
				if err := db.freeze(&db.flushing); err != nil {
					t.Fatal(err)
				}
			case "chunks", "reopened":
				if err := db.Flush(); err != nil {
					t.Fatal(err)
				}
			}
			if where == "reopened" {
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				db = mustOpen(t, o)
			}
			clk.advance(5 * day)
			remove(t, db, storage.Query{Mint: gone, Maxt: young})
			wantShown(t, db)
			if st, err := db.Stats(); err != nil || where != "reopened" && st.Series != 0 { // of b nothing is known then
				t.Errorf("stats: %d series, %v; want none", st.Series, err)
			}
			now := clk.ms.Load()
			for _, key := range []string{"c", "a"} {
				if err := putAt(t, db, key, now, 5); err != nil {
					t.Errorf("%s: %v", key, err)
				}
			}
			wantShown(t, db, fmt.Sprintf("c %d=5", now), fmt.Sprintf("a %d=5", now))
			if err := putAt(t, db, "d", now, 6); !errors.Is(err, storage.ErrSeriesLimit) && where != "reopened" {
				t.Errorf("a third series: %v", err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			o.Retention = 0
			db = mustOpen(t, o)
			wantShown(t, db, fmt.Sprintf("b %d=3", old), fmt.Sprintf("c %d=5", now), fmt.Sprintf("a %d=5", now))
		})
	}
}
