package chunk

import (
	"math"
	"math/bits"
)

// The bins of codes are written in fractions of bits by table-based asymmetric numeral systems
// (Duda, "Asymmetric numeral systems", 2013), in the form of Collet's FSE (2013): a state,
// one of 2^log, stands for a bin and for how to go on from there; a bin of weight w has w of the
// states, and so costs about log-log2(w) bits.
//
// A decoder waits for the table each time it goes from one state to the next. Therefore four of them take turns,
// as in pcodec (Loncaric, 2023), but reading one stream: their waits overlap.

// weigh sets the weights of bins, 2^log in all, in proportion to their counts.
func weigh(bins []bin, total int, log uint) {
	left, largest := 1<<log, 0
	for i := range bins {
		b := &bins[i]
		b.weight = max(1, (b.count<<log+total/2)/total)
		left -= b.weight
		if b.weight > bins[largest].weight {
			largest = i
		}
	}
	// What rounding left over goes to the largest, which feels it least.
	for bins[largest].weight+left < 1 {
		for i := range bins {
			if bins[i].weight > 1 {
				bins[i].weight--
				left++
			}
		}
	}
	bins[largest].weight += left
}

// weighBest sets the weights of bins for the smallest log that is nearly as good as the largest, since tables cost
// time.
func weighBest(bins []bin, total int) (log uint) {
	least := math.MaxInt
	for log = maxLog; ; log-- {
		weigh(bins, total, log)
		cost := lanes * int(log) * bitCost
		for _, b := range bins {
			cost += b.count * (int(log)*bitCost - log2(b.weight))
		}
		least = min(least, cost)
		if cost > least+least/128+8*bitCost || 1<<log < 2*len(bins) {
			log++
			break
		}
		if log == minLog {
			return log
		}
	}
	weigh(bins, total, log)
	return log
}

// spread distributes the states over the bins: owner[s] is the bin of state s. Each bin's
// states are scattered by a step that is odd, and so meets all of them.
func spread(owner *[1 << maxLog]uint8, weights []uint16, log uint) {
	size := uint(1) << log
	step, at := size>>1+size>>3+3, uint(0)
	for i, w := range weights {
		for range w {
			owner[at&(1<<maxLog-1)] = uint8(i)
			at = (at + step) & (size - 1)
		}
	}
}

// tansEncoder holds the tables for encoding. States are written with 2^log added, as is usual.
type tansEncoder struct {
	owner   [1 << maxLog]uint8
	weights [maxBins]uint16
	next    [1 << maxLog]uint16 // the states of bin 0, those of bin 1, …
	bins    [maxBins]struct {
		bits  uint32 // (state + bits) >> 16 is how many bits to write
		first int32  // next[state>>that + first] is the next state
	}
}

// build makes the tables.
func (e *tansEncoder) build(bins []bin, log uint) {
	for i := range bins {
		e.weights[i] = uint16(bins[i].weight)
	}
	spread(&e.owner, e.weights[:len(bins)], log)
	var at [maxBins]int
	sum := 0
	for i := range bins {
		w := bins[i].weight
		at[i] = sum
		// A state is brought into [w, 2w) by shifting out most bits or one less: most from w<<most on.
		most := log
		if w > 1 {
			most = log + 1 - uint(bits.Len(uint(w-1)))
		}
		e.bins[i].bits = uint32(most<<16) - uint32(w<<most)
		e.bins[i].first = int32(sum - w)
		sum += w
	}
	for s, size := 0, 1<<log; s < size; s++ {
		i := e.owner[s]
		e.next[at[i]] = uint16(size + s)
		at[i]++
	}
}

// entry is what a decoder does in one state, in one word:
//
//	bits 0-15   number: a mask of as many bits as the next state takes from the stream
//	bits 16-31  the next state, less these bits
//	bits 32-39  how many they are
//	bits 40-47  how many these and the offset in the bin are, which stands behind
//	bits 48-55  the bin
type entry uint64

func (e entry) number() uint64 { return uint64(e & 0xffff) }
func (e entry) next() uint64   { return uint64(e >> 16 & 0xffff) }
func (e entry) bits() uint     { return uint(e >> 32 & 63) }
func (e entry) all() uint      { return uint(e >> 40 & 127) }
func (e entry) bin() uint      { return uint(e >> 48) }

// interval is a bin to a decoder.
type interval struct {
	lower uint64
	mask  uint64 // of an offset
}

// decodeTable is a table for decoding. Whoever builds it sets bins, weights and widths.
type decodeTable struct {
	entries [1 << maxLog]entry
	bins    [maxBins]interval
	weights [maxBins]uint16
	widths  [maxBins]uint8
	owner   [1 << maxLog]uint8
}

// code returns the code of entry e, at whose bits word begins.
func (t *decodeTable) code(e entry, word uint64) int64 {
	b := &t.bins[e.bin()&(maxBins-1)]
	return int64(b.lower + word>>e.bits()&b.mask)
}

// build makes the entries for n bins and returns how many bits a code has at most.
func (t *decodeTable) build(n int, log uint) (most uint) {
	spread(&t.owner, t.weights[:n], log)
	var base [maxBins]uint64
	for i, w := range t.weights[:n] {
		width := uint(t.widths[i])
		base[i] = uint64(i)<<48 | uint64(width)<<40
		most = max(most, width+log+1-uint(bits.Len16(w)))
	}
	count := &t.weights
	for s, i := range t.owner[:1<<log] {
		i &= maxBins - 1
		c := uint64(count[i])
		count[i]++
		n := log + 1 - uint(bits.Len64(c))
		t.entries[s] = entry(base[i] + uint64(n)<<40 | uint64(n)<<32 | (c<<n-1<<log)<<16 | 1<<n - 1)
	}
	return most
}
