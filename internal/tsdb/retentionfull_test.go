package tsdb

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"metricd/internal/storage"
)

// TestRetentionOnAFullDisk: others take all but a part of the reserve, so no flush has room, and some has begun, or the server starts
// so. When windows become too old, dropping them makes room, and puts are taken again.
func TestRetentionOnAFullDisk(t *testing.T) {
	for _, how := range []string{"nothing to flush", "something to flush", "a flush that found no room", "restarted"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			fs := newSmallFS(32 << 20)
			const reserve = 32 << 20 / reserveMost
			clk := newClock(someDay)
			o := Options{
				Dir: "d", FS: fs, Retention: 8 * time.Hour, Now: clk.now,
				Logf:      func(format string, args ...any) { t.Logf(format, args...) },
				OnFailure: func(err error) { t.Error(err) },
			}
			db := mustOpen(t, o)
			defer func() {
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			}()
			for range 8 { // hours
				putHour(t, db, clk)
				if err := db.Flush(); err != nil {
					t.Fatal(err)
				}
			}
			if how != "nothing to flush" {
				putHour(t, db, clk)
			}
			switch how {
			case "a flush that found no room":
				fs.take(reserve * 9 / 8)
				if err := db.Flush(); err == nil {
					t.Fatal("a flush found room")
				}
				fs.take(reserve * 7 / 8)
			case "restarted":
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				fs.take(reserve / 8)
				db = mustOpen(t, o)
				if !db.blocks.IsReadOnly() {
					t.Fatal("chunks are open for writing")
				}
				fs.take(reserve * 5 / 4)
			default:
				fs.take(reserve * 7 / 8)
			}
			clk.advance(3 * time.Hour)
			db.room.look()
			if err := putAt(t, db, "new", clk.ms.Load(), 1); err == nil {
				t.Fatal("a put was taken on a full disk")
			}
			_ = db.tend() // as the flusher does each minute
			db.askFlush() // it wakes up, and tries again what that could not do yet
			deadline := time.Now().Add(time.Minute)
			for ; putAt(t, db, "new", clk.ms.Load(), 1) != nil; time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("after a minute puts are refused: %v", *db.room.refused.Load())
				}
			}
			for db.owed.Load() { // it has yet to read what is stored of each series
				time.Sleep(20 * time.Millisecond)
				if time.Now().After(deadline) {
					t.Fatal("after a minute it has not dropped all that is too old")
				}
			}
			st, err := db.Stats()
			_, all, readErr := readAll(t, db)
			if err != nil || readErr != nil || st.Series != int64(len(all)) || db.room.mu.lent {
				t.Errorf("%d series, %d shown, %v, %v; lent: %v", st.Series, len(all), err, readErr, db.room.mu.lent)
			}
		})
	}
}

// putHour puts some megabytes, and an hour passes. A series of each hour is of that only.
func putHour(t *testing.T, db *DB, clk *clock) {
	t.Helper()
	a, b := db.Appender(), &storage.Batch{}
	rnd := rand.New(rand.NewPCG(1, 1))
	hour := clk.ms.Load()
	for i := range int64(250) {
		b.Rows = append(b.Rows[:0], storage.Row{Key: fmt.Appendf(nil, "hour;from=%d", hour), T: hour + i, V: 1})
		for k := range 1000 {
			b.Rows = append(b.Rows, storage.Row{Key: fmt.Appendf(nil, "k%d", k), T: hour + i, V: rnd.NormFloat64()})
		}
		if _, err := a.Append(b); err != nil || len(b.Refused) > 0 {
			t.Fatal(err, b.Refused)
		}
	}
	clk.advance(time.Hour)
}
