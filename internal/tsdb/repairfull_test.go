package tsdb

import (
	"strings"
	"testing"

	"metricd/internal/tsdb/blocks"
)

// TestRepairOntoAFullDisk: where there is no room for what can be saved, Repair says so, changes nothing of the old directory, and leaves nothing
// that Open takes for a store; with room it saves all.
func TestRepairOntoAFullDisk(t *testing.T) {
	fs := newSmallFS(64 << 20)
	db := mustOpen(t, Options{Dir: "d", FS: fs})
	clk := newClock(someDay)
	for range 2 {
		putHour(t, db, clk)
	}
	_, want, err := readAll(t, db)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before := imageOf(t, fs, "d")
	for _, free := range []int64{0, 10_000, 1 << 20, 3 << 20} {
		fs.take(free)
		_, err := Repair(t.Context(), CheckOptions{Dir: "d", FS: fs}, "new")
		if err == nil || !blocks.IsNoSpace(err) && !strings.Contains(err.Error(), "disk is full") {
			t.Errorf("with %d bytes free: %v", free, err)
		}
		if names, err := fs.List("new"); err == nil && len(names) > 0 {
			t.Errorf("with %d bytes free it left %v", free, names)
		}
		fs.give()
	}
	if !imageOf(t, fs, "d").equal(before) {
		t.Error("the old directory was changed")
	}
	if _, got, faults := repaired(t, fs); len(faults) > 0 || !got.equal(want) {
		t.Errorf("with room: faults %q, samples are right: %v", faults, got.equal(want))
	}
}
