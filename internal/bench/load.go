package bench

import (
	"fmt"
	"math"
	"strconv"

	"metricd/internal/lineproto"
)

// order is the order in which the samples of a load are sent.
type order uint8

const (
	forward  order = iota // all series at the first time, then all at the next
	backward              // all series at the last time, then all at the one before
	shuffled              // pseudo-random
)

// metrics are the fields of the cpu set of the time series benchmark suite (TSBS): each
// host has one series of each.
var metrics = [...]string{
	"usage_user", "usage_system", "usage_idle", "usage_nice", "usage_iowait",
	"usage_irq", "usage_softirq", "usage_steal", "usage_guest", "usage_guest_nice",
}

const (
	maxCents  = 100_00 // values are 0.00 to 100.00
	stepCents = 100    // a walk moves by up to ±1.00 between two samples
	walkStart = 1 << 16
)

// load is a workload's samples as a function of (series, index); it does not change once
// made and may be shared. Of its text only keys and digits are held.
//
// All values come from one reflected random walk. Series s follows it from place 5 s, modulo
// walkStart, so that a value costs one look-up in any order, and in order of time the
// look-ups stay close together: with places far apart they cost more than the rest of the line.
type load struct {
	series, samples int
	start, step     int64 // seconds
	order           order
	seed            uint64

	names
	puts    []byte   // "put KEY " of every series, one after another
	ends    []uint32 // series s is puts[ends[s]:ends[s+1]]
	maxLine int      // bytes of capacity that a line needs
	digitWords
	walk []uint16 // walkStart+samples values in cents
}

// names spells the keys of a load, host_0042.cpu.usage_user.
type names struct {
	own    string // how all keys begin, up to the host's number
	digits int    // of the host's number
}

// newNames returns the names of so many series.
func newNames(prefix string, series int) names {
	return names{prefix + "host_", max(4, len(strconv.Itoa((series-1)/len(metrics))))}
}

// appendKey appends the key of series s.
func (n names) appendKey(dst []byte, s int) []byte {
	dst = append(dst, n.own...)
	host := strconv.Itoa(s / len(metrics))
	for range n.digits - len(host) {
		dst = append(dst, '0')
	}
	dst = append(dst, host...)
	dst = append(dst, ".cpu."...)
	return append(dst, metrics[s%len(metrics)]...)
}

// isOwn says whether row is of a key that could have such a name.
func (n names) isOwn(row []byte) bool {
	end := len(n.own) + n.digits
	return len(row) > end && string(row[:len(n.own)]) == n.own && row[end] == '.'
}

// newLoad prepares the load that cfg (resolved) describes.
func newLoad(cfg Config, prefix string, o order) (*load, error) {
	l := &load{series: cfg.Series, samples: cfg.Samples, start: cfg.Start, step: cfg.Step, order: o, seed: cfg.Seed}
	l.names = newNames(prefix, l.series)
	longest := len("put ") + len(l.own) + l.digits + len(".cpu.usage_guest_nice ")
	if longest > lineproto.DefaultMaxKey || longest*l.series > math.MaxUint32 {
		return nil, fmt.Errorf("%d keys of %d bytes: shorten the prefix or take fewer series", l.series, longest)
	}
	l.maxLine = longest + 8 + len(" -1000000000000000\n")
	l.puts = make([]byte, 0, longest*l.series)
	l.ends = make([]uint32, 1, l.series+1)
	for s := range l.series {
		l.puts = append(l.puts, "put "...)
		l.puts = l.appendKey(l.puts, s)
		l.puts = append(l.puts, ' ')
		l.ends = append(l.ends, uint32(len(l.puts)))
	}
	l.digitWords = newDigitWords()
	l.makeWalk()
	return l, nil
}

func (l *load) makeWalk() {
	l.walk = make([]uint16, walkStart+l.samples)
	at := int64(maxCents / 2)
	for i := range l.walk {
		at += int64(mix(l.seed, uint64(i))%(2*stepCents+1)) - stepCents
		if at < 0 {
			at = -at
		}
		if at > maxCents {
			at = 2*maxCents - at
		}
		l.walk[i] = uint16(at)
	}
}

// mix returns number i of a pseudo-random sequence (splitmix64).
func mix(seed, i uint64) uint64 {
	x := seed + (i+1)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// valueOf returns the value of sample i of series s in hundredths.
func (l *load) valueOf(s, i int) int {
	return int(l.walk[5*s%walkStart+i])
}

// time returns the time of sample i of every series, in Unix seconds.
func (l *load) time(i int) int64 { return l.start + int64(i)*l.step }
