package influx

import (
	"math"

	"metricd/internal/storage"
)

// unit is the unit of timestamps: mul milliseconds, or 1/div of one.
type unit struct{ mul, div int64 }

// precision returns the unit called name. Each version of InfluxDB has some of these names.
func precision(name string) (unit, error) {
	switch name {
	case "", "n", "ns":
		return unit{1, 1_000_000}, nil
	case "u", "us", "µ":
		return unit{1, 1000}, nil
	case "ms":
		return unit{1, 1}, nil
	case "s":
		return unit{1000, 1}, nil
	case "m":
		return unit{60_000, 1}, nil
	case "h":
		return unit{3_600_000, 1}, nil
	}
	return unit{}, badRequest("precision=%.20q: want ns, us, ms, s, m or h", name)
}

// millis returns a timestamp in milliseconds, rounded down.
func (u unit) millis(t int64) (int64, error) {
	if t > math.MaxInt64/u.mul || t < math.MinInt64/u.mul {
		return 0, storage.ErrTimeRange
	}
	ms := t * u.mul / u.div
	if ms*u.div > t*u.mul { // a division rounds towards zero
		ms--
	}
	return ms, nil
}
