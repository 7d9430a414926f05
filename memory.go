package metricd

import (
	"math"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// defaultMemoryLimit returns three quarters of the memory that this process may have, which is
// the least of the cgroup's limit and the machine's memory; 0 (no limit) where neither can be
// told. The last quarter is for connections, replies being made and the runtime.
func defaultMemoryLimit() int64 {
	least := uint64(math.MaxInt64)
	for _, provider := range []memlimit.Provider{memlimit.FromCgroup, memlimit.FromSystem} {
		if limit, err := provider(); err == nil && limit > 0 {
			least = min(least, limit)
		}
	}
	if least == math.MaxInt64 {
		return 0
	}
	return int64(least / 4 * 3)
}
