package collect

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"

	"github.com/shirou/gopsutil/v4/disk"

	"metricd/internal/storage"
)

// diskSpace returns a probe for each file system: one that hangs holds up no other.
func diskSpace(ctx context.Context) []probe {
	partitions, err := disk.PartitionsWithContext(ctx, false)
	var probes []probe
	if err != nil {
		probes = append(probes, probe{"list of disks", func(context.Context) ([]figure, error) { return nil, err }})
	}
	for _, mount := range mounts(partitions) {
		probes = append(probes, probe{"space of " + mount, func(ctx context.Context) ([]figure, error) { return readSpace(ctx, mount) }})
	}
	return probes
}

// fullByNature are file systems that nothing can be written to, so they are always full.
var fullByNature = []string{"squashfs", "erofs", "cramfs", "iso9660", "udf"}

// mounts returns where the file systems are mounted whose space is of interest, each once: those on disks of this machine, and
// always the root, which in a container is no disk.
func mounts(partitions []disk.PartitionStat) []string {
	paths := []string{"/"}
	seen := map[string]bool{}
	for _, p := range partitions {
		if p.Mountpoint == "/" {
			seen[p.Device] = true
		}
	}
	for _, p := range partitions {
		if slices.Contains(fullByNature, p.Fstype) || seen[p.Device] || slices.Contains(paths, p.Mountpoint) {
			continue
		}
		seen[p.Device] = true
		paths = append(paths, p.Mountpoint)
	}
	return paths
}

// readSpace reads how full the file system at path is. Free is what users other than root may have, and the percentage is of used
// and free together, as df has it.
func readSpace(ctx context.Context, path string) ([]figure, error) {
	u, err := disk.UsageWithContext(ctx, path)
	if err != nil {
		return nil, err
	}
	if u.Total == 0 {
		return nil, errors.New("the file system has no size")
	}
	of := storage.Label{Name: "mount", Value: path}
	figures := []figure{
		{"disk.total_bytes", of, float64(u.Total)},
		{"disk.used_bytes", of, float64(u.Used)},
		{"disk.free_bytes", of, float64(u.Free)},
		{"disk.used_percent", of, percent(u.Used, u.Used+u.Free)},
	}
	if u.InodesTotal > 0 { // not all have a fixed number
		figures = append(figures, figure{"disk.inodes_used_percent", of, percent(u.InodesUsed, u.InodesTotal)})
	}
	return figures, nil
}

// noDisk matches devices whose traffic is counted elsewhere or is none: parts of disks, and what lies in memory or files.
var noDisk = regexp.MustCompile(`^(?:(?:z?ram|loop|fd|sr)\d+|(?:h|s|v|xv)d[a-z]+\d+|(?:nvme\d+n|mmcblk)\d+(?:p|boot|rpmb)\d*)$`)

// readDiskIO reads what each disk read and wrote, and for how long.
func readDiskIO(ctx context.Context) ([]figure, error) {
	devices, err := disk.IOCountersWithContext(ctx)
	var figures []figure
	for _, name := range slices.Sorted(maps.Keys(devices)) {
		if noDisk.MatchString(name) {
			continue
		}
		d := devices[name]
		const ms = 1000 // in a second
		of := storage.Label{Name: "device", Value: name}
		figures = append(figures,
			figure{"diskio.read_bytes_total", of, float64(d.ReadBytes)},
			figure{"diskio.written_bytes_total", of, float64(d.WriteBytes)},
			figure{"diskio.reads_total", of, float64(d.ReadCount)},
			figure{"diskio.writes_total", of, float64(d.WriteCount)},
			figure{"diskio.read_seconds_total", of, float64(d.ReadTime) / ms},
			figure{"diskio.write_seconds_total", of, float64(d.WriteTime) / ms},
			figure{"diskio.busy_seconds_total", of, float64(d.IoTime) / ms},
		)
	}
	return figures, err
}
