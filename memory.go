package metricd

import (
	"math"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// defaultMemoryLimit returns three quarters of the memory that this process may have, 0 (no
// limit) where that can't be told. The last quarter is for connections, replies being made and
// the runtime.
func defaultMemoryLimit() int64 {
	for _, provider := range []memlimit.Provider{memlimit.FromCgroup, memlimit.FromSystem} {
		if limit, err := provider(); err == nil && limit > 0 && limit < math.MaxInt64 {
			return int64(limit / 4 * 3)
		}
	}
	return 0
}
