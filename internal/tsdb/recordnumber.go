package tsdb

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// putValue writes the value with these bits to b[n:], and returns how it is told and where it ends.
func putValue(b []byte, n int, bits uint64) (value byte, end int) {
	sign := byte(bits >> 63)
	if m, k := shortestDecimal(math.Float64frombits(bits &^ (1 << 63))); m < maxShortInteger && k < valueBelow {
		return k + valueBelow*sign, putVarint(b, n, m)
	} else if m < maxLongInteger {
		b[n] = k | sign*signBit
		return valueDecimal, putVarint(b, n+1, m)
	}
	if i := slices.Index(recordSpecials[:], bits); i >= 0 {
		b[n] = byte(i)
		return valueSpecial, n + 1
	}
	binary.LittleEndian.PutUint64(b[n:], bits)
	return valueRaw, n + 8
}

// shortestDecimal returns m and k so that the float64 nearest to m / 10^k is v, with no zeros at
// the end of m if k > 0; an m of maxRecordInteger if it found none. v is not below zero.
func shortestDecimal(v float64) (m uint64, k byte) {
	const most = maxRecordInteger
	if !(v < most) { // so NaN, too
		return most, 0
	}
	if m := int64(v); float64(m) == v {
		return uint64(m), 0
	}
	// Two decimals say most values. How m was found is of no account.
	if m := int64(v*100 + 0.5); m < most && float64(m)/100 == v {
		k = 2
		if tenths := m / 10; tenths*10 == m {
			m, k = tenths, 1
		}
		return uint64(m), k
	}
	for _, k := range [...]byte{5, 10, maxRecordExponent} {
		power := recordPowers[k]
		x := v*power + 0.5
		if x >= most {
			break
		}
		m := int64(x)
		if float64(m)/power != v {
			continue
		}
		for m%10 == 0 {
			m /= 10
			k--
		}
		return uint64(m), k
	}
	return most, 0
}

// putVarint writes x to b[n:], of which it touches varintSlack bytes or maxVarint, and returns where it ends.
func putVarint(b []byte, n int, x uint64) int {
	if x >= 1<<56 {
		b[n] = 0
		binary.LittleEndian.PutUint64(b[n+1:], x)
		return n + maxVarint
	}
	more := bits.Len64(x|1) * 9 >> 6 // (Len64 - 1) / 7
	binary.LittleEndian.PutUint64(b[n:], (x<<1|1)<<more)
	return n + 1 + more
}

func zigzag(v uint64) uint64   { return v<<1 ^ uint64(int64(v)>>63) }
func unzigzag(v uint64) uint64 { return v>>1 ^ -(v & 1) }

// varint reads a varint; 0 and wrong set if it is cut off.
func (r *recordReader) varint() uint64 {
	if len(r.b)-r.at >= 8 {
		x := binary.LittleEndian.Uint64(r.b[r.at:])
		if more := bits.TrailingZeros64(x); more < 8 {
			r.at += 1 + more
			return x << (56 - 8*more) >> (57 - 7*more)
		}
	}
	return r.rareVarint()
}

// rareVarint is varint near the end of the record, and for those of 9 bytes.
func (r *recordReader) rareVarint() uint64 {
	var b [maxVarint]byte
	left := copy(b[:], r.b[r.at:])
	more := bits.TrailingZeros8(b[0]) // 8 if it is 0
	if 1+more > left {
		r.at, r.wrong = len(r.b), wrongEnd
		return 0
	}
	r.at += 1 + more
	if more == 8 {
		return binary.LittleEndian.Uint64(b[1:])
	}
	return binary.LittleEndian.Uint64(b[:]) << (56 - 8*more) >> (57 - 7*more)
}
