package collect

import (
	"os"
	"testing"

	"metricd/internal/storage"
)

func TestKeys(t *testing.T) {
	self, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	disk := func(path string) figure {
		return figure{name: "disk.used_bytes", of: storage.Label{Name: "mount", Value: path}}
	}
	for _, test := range []struct {
		host string
		tags bool
		of   figure
		want string
	}{
		{"", false, figure{name: "cpu.user"}, "host.cpu.user"},
		{"palm", false, figure{name: "cpu.user"}, "palm.cpu.user"},
		{"palm.example", false, figure{name: "load1"}, "palm.example.load1"},
		{"", false, disk("/"), "host.disk.used_bytes;mount=/"},
		{"palm", true, figure{name: "cpu.user"}, "cpu_user;host=palm"},
		{"palm.example", true, figure{name: "load1"}, "load1;host=palm.example"},
		{"palm", true, disk("/"), "disk_used_bytes;host=palm;mount=/"},
		{"", true, figure{name: "cpu.user"}, "cpu_user;host=" + self},
		{"palm", true, disk("/a b;c\td\xff"), "disk_used_bytes;host=palm;mount=/a%20b%3Bc%09d\ufffd"},
	} {
		got := newSpeller(test.host, test.tags).key(test.of)
		if got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
		if !storage.ValidKey([]byte(got)) {
			t.Errorf("%q is no key", got)
		}
	}
}
