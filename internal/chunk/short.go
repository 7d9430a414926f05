package chunk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// A short float is a single float64 in few bytes if it is a decimal of few digits. It is a
// varint v, whose low four bits say what the rest, v>>4, is:
//
//	0-13  m, zigzag: the value is the float64 nearest to m / 10^that
//	14    0 for -0, 1 and 2 for the infinities, 3 for NaN as math.NaN returns it, 4 for the
//	      NaN that Prometheus marks staleness with
//	15    0: the value's 8 bytes follow, little-endian
//
// So 1 to 8 bytes, or 9: 0 to 3 take one, 23.71 three.
const (
	shortTag     = 15
	shortSpecial = 14
	shortRaw     = 15

	// maxShort bounds what 8 bytes of a varint hold.
	maxShort = 1 << 56
)

// specials are values that are no decimals but common.
var specials = [...]uint64{1 << 63, 0x7ff << 52, 0xfff << 52, 0x7ff8000000000001, 0x7ff0000000000002}

var errShortFloat = errors.New("not a short float")

// appendShort appends the float64 with these bits as a short float.
func appendShort(dst []byte, bits uint64) []byte {
	v := math.Float64frombits(bits)
	// Two decimals say most values; the zeros at their ends are taken off.
	for _, k := range [...]int{2, 0, 4, 8, 13} {
		m := scales[k].nearest(v)
		if math.Float64bits(scales[k].decimal(m)) != bits {
			continue
		}
		for k > 0 && m%10 == 0 {
			m /= 10
			k--
		}
		if short := zigzag(uint64(m)); short < maxShort>>4 {
			return binary.AppendUvarint(dst, short<<4|uint64(k))
		}
	}
	return appendRare(dst, bits)
}

// appendRare appends what is no decimal.
func appendRare(dst []byte, bits uint64) []byte {
	for i, s := range specials {
		if s == bits {
			return append(dst, byte(i<<4|shortSpecial))
		}
	}
	return binary.LittleEndian.AppendUint64(append(dst, shortRaw), bits)
}

// readShort reads the short float at the front of src and returns its bits and how many bytes it took. It
// accepts what appendShort appends, and what decodes alike.
func readShort(src []byte) (bits uint64, n int, err error) {
	v, n := binary.Uvarint(src)
	switch {
	case n == 0:
		return 0, 0, errShort
	case n < 0:
		return 0, 0, errVarint
	case n > 1 && src[n-1] == 0:
		return 0, 0, fmt.Errorf("%w: too long a varint", errShortFloat)
	}
	rest := v >> 4
	switch tag := v & shortTag; {
	case tag < shortSpecial:
		if m := int64(unzigzag(rest)); v < maxShort {
			return math.Float64bits(scales[tag].decimal(m)), n, nil
		}
	case tag == shortSpecial:
		if rest < uint64(len(specials)) {
			return specials[rest], n, nil
		}
	case rest == 0 && len(src) < n+8:
		return 0, 0, errShort
	case rest == 0:
		return binary.LittleEndian.Uint64(src[n:]), n + 8, nil
	}
	return 0, 0, fmt.Errorf("%w: %#x", errShortFloat, v)
}
