package httpapi

import (
	"path/filepath"
	"testing"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// memory returns a store in memory, for five series, until the end of the test.
func memory(t *testing.T) storage.Store {
	t.Helper()
	return open(t, tsdb.Options{MaxSeries: 5})
}

// onDisk returns a store and its directory.
func onDisk(t *testing.T) (store storage.Store, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data")
	return open(t, tsdb.Options{Dir: dir}), dir
}

func open(t *testing.T, o tsdb.Options) storage.Store {
	t.Helper()
	db, err := tsdb.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}
