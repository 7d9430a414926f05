package collect

import (
	"slices"
	"testing"

	"github.com/shirou/gopsutil/v4/disk"
)

func TestMounts(t *testing.T) {
	at := func(device, path, kind string) disk.PartitionStat {
		return disk.PartitionStat{Device: device, Mountpoint: path, Fstype: kind}
	}
	for name, test := range map[string]struct {
		partitions []disk.PartitionStat
		want       []string
	}{
		"a container":     {nil, []string{"/"}},
		"two disks":       {[]disk.PartitionStat{at("/dev/sda1", "/", "ext4"), at("/dev/sdb1", "/data", "xfs")}, []string{"/", "/data"}},
		"in any order":    {[]disk.PartitionStat{at("/dev/sdb1", "/data", "xfs"), at("/dev/sda1", "/", "ext4")}, []string{"/", "/data"}},
		"images":          {[]disk.PartitionStat{at("/dev/sda1", "/", "ext4"), at("/dev/loop0", "/snap/a/1", "squashfs"), at("/dev/sr0", "/cd", "iso9660")}, []string{"/"}},
		"subvolumes":      {[]disk.PartitionStat{at("/dev/sda1", "/home", "btrfs"), at("/dev/sda1", "/", "btrfs")}, []string{"/"}},
		"mounted twice":   {[]disk.PartitionStat{at("/dev/sdb1", "/a", "ext4"), at("/dev/sdb1", "/b", "ext4")}, []string{"/", "/a"}},
		"over each other": {[]disk.PartitionStat{at("/dev/sdb1", "/a", "ext4"), at("/dev/sdc1", "/a", "ext4")}, []string{"/", "/a"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mounts(test.partitions); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestNoDisk(t *testing.T) {
	for _, name := range []string{"sda", "vdb", "xvda", "nvme0n1", "nvme1n12", "mmcblk0", "md0", "dm-3", "sdaa", "disk0", "ada0"} {
		if noDisk.MatchString(name) {
			t.Errorf("%s is taken for none", name)
		}
	}
	for _, name := range []string{"sda1", "sdaa12", "vda1", "xvda1", "hda2", "nvme0n1p1", "nvme1n12p10", "mmcblk0p2", "mmcblk0boot0", "mmcblk0rpmb", "loop7", "ram0", "zram1", "sr0", "fd0"} {
		if !noDisk.MatchString(name) {
			t.Errorf("%s is taken for a disk", name)
		}
	}
}
