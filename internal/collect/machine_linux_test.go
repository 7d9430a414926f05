package collect

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/shirou/gopsutil/v4/common"
)

// readAll reads the probes of testdata/proc, as if it were /proc of this machine, and returns the figures by name and tag. Swap and the space
// of disks are this machine's own all the same.
func readAll(t *testing.T, m *machine) (figures map[string]float64, failed map[string]error) {
	t.Helper()
	ctx := context.WithValue(t.Context(), common.EnvKey, common.EnvMap{common.HostProcEnvKey: "testdata/proc", common.HostSysEnvKey: "testdata/none"})
	figures, failed = map[string]float64{}, map[string]error{}
	for _, p := range m.probes(ctx) {
		got, err := p.read(ctx)
		if err != nil {
			failed[p.name] = err
		}
		for _, f := range got {
			name := f.name
			if f.of.Name != "" {
				name += " " + f.of.Name + "=" + f.of.Value
			}
			if _, twice := figures[name]; twice {
				t.Errorf("%s twice", name)
			}
			figures[name] = f.value
		}
	}
	return figures, failed
}

func TestMachine(t *testing.T) {
	m := newMachine()
	readAll(t, m)
	m.cpu.before.User -= 25 // seconds, of what stands in the file
	m.cpu.before.Idle -= 75
	got, failed := readAll(t, m)
	if len(failed) != 1 || !os.IsNotExist(failed["space of /no such mount"]) {
		t.Errorf("failed: %v, want the disk that is not there", failed)
	}
	const kB = 1024
	for name, want := range map[string]float64{
		"cpu.user": 25, "cpu.idle": 75, "cpu.busy": 25, "cpu.steal": 0,
		"load1": 3.47, "load5": 3.06, "load15": 2.73,
		"mem.total_bytes": 8_000_000 * kB, "mem.used_bytes": 2_000_000 * kB, "mem.available_bytes": 6_000_000 * kB, "mem.free_bytes": 1_000_000 * kB,
		"mem.cached_bytes": 4_200_000 * kB, "mem.buffers_bytes": 100_000 * kB, "mem.used_percent": 25,
		"swap.in_bytes_total": 5 * 4096, "swap.out_bytes_total": 7 * 4096,
		"diskio.read_bytes_total device=vda": 2000 * 512, "diskio.written_bytes_total device=vda": 4000 * 512,
		"diskio.reads_total device=vda": 100, "diskio.writes_total device=vda": 200,
		"diskio.read_seconds_total device=vda": 1.5, "diskio.write_seconds_total device=vda": 2.5, "diskio.busy_seconds_total device=vda": 3.25,
		"net.received_bytes_total device=eth0": 1000, "net.sent_bytes_total device=eth0": 2000,
		"net.received_packets_total device=eth0": 100, "net.sent_packets_total device=eth0": 200,
		"net.received_errors_total device=eth0": 1, "net.sent_errors_total device=eth0": 3,
		"net.received_dropped_total device=eth0": 2, "net.sent_dropped_total device=eth0": 4,
		"procs.all": 2, "procs.running": 3, "procs.blocked": 1, "procs.created_total": 4242,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %v (%v), want %v", name, v, ok, want)
		}
	}
	for name := range got {
		for _, not := range []string{"loop0", "vda1", "ifb0", "veth", "snap", "hosts"} {
			if strings.Contains(name, not) {
				t.Errorf("%s is there", name)
			}
		}
	}
	for name, least := range map[string]float64{"disk.total_bytes mount=/": 1, "disk.free_bytes mount=/": 0, "disk.used_percent mount=/": 0} {
		if v, ok := got[name]; !ok || v < least {
			t.Errorf("%s is %v (%v)", name, v, ok)
		}
	}
}

// TestDocs: docs/collect.md lists exactly what there is, and what only grows is called so, with tags and without.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/collect.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, cell := range regexp.MustCompile(`(?m)^\|([^|]+)\|`).FindAllStringSubmatch(string(text), -1) {
		for _, name := range regexp.MustCompile("`host\\.([^`;]+)").FindAllStringSubmatch(cell[1], -1) {
			listed = append(listed, name[1])
		}
	}
	m := newMachine()
	readAll(t, m)
	m.cpu.before.User--
	figures, _ := readAll(t, m)
	var real []string
	for name := range figures {
		name, _, _ = strings.Cut(name, " ")
		real = append(real, name)
	}
	slices.Sort(real)
	real = slices.Compact(real)
	slices.Sort(listed)
	for _, name := range real {
		if !slices.Contains(listed, name) {
			t.Errorf("%s is not listed", name)
		}
		if strings.HasSuffix(name, ".total") {
			t.Errorf("%s would end in _total with tags", name)
		}
	}
	for _, name := range listed {
		if !slices.Contains(real, name) && name != "disk.inodes_used_percent" { // not all file systems have that
			t.Errorf("%s is listed, and there is none", name)
		}
	}
	if len(slices.Compact(slices.Clone(listed))) != len(listed) {
		t.Errorf("something is listed twice: %q", listed)
	}
}
