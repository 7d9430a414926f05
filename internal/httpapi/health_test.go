package httpapi

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/tsdb"
)

// TestReadyFull: a server whose disk is full is ready, and says that it takes nothing; with room again it does not.
func TestReadyFull(t *testing.T) {
	disk := &fullDisk{FS: vfs.NewMem()}
	store := open(t, tsdb.Options{Dir: "data", FS: disk})
	s := serve(t, Config{Store: store})
	wait := func(want string) {
		t.Helper()
		for start := time.Now(); ; time.Sleep(time.Millisecond) { // the store looks now and then
			status, text, _ := s.do("GET", "/-/ready", nil)
			if status == 200 && strings.HasPrefix(text, want) {
				return
			}
			if status != 200 || time.Since(start) > 20*time.Second {
				t.Fatalf("got %d %s, want %s", status, text, want)
			}
		}
	}
	wait("metricd is ready\n")
	disk.full.Store(true)
	wait("metricd is ready, reads only: disk is full: ")
	if status, text, _ := s.do("POST", "/api/v1/import?format=put", strings.NewReader("put a 1 1\n")); status != 503 || !strings.Contains(text, "disk is full") {
		t.Errorf("import: %d %s", status, text)
	}
	disk.full.Store(false)
	wait("metricd is ready\n")
	if st, err := store.Stats(); err != nil || st.Refused != 1 { // that of the import
		t.Errorf("%d rows refused, %v", st.Refused, err)
	}
}

// fullDisk is a file system that says it is full when it is told to.
type fullDisk struct {
	vfs.FS
	full atomic.Bool
}

func (d *fullDisk) GetDiskUsage(string) (vfs.DiskUsage, error) {
	const size = 1 << 34
	if d.full.Load() {
		return vfs.DiskUsage{TotalBytes: size, UsedBytes: size}, nil
	}
	return vfs.DiskUsage{TotalBytes: size, AvailBytes: size / 2, UsedBytes: size / 2}, nil
}
