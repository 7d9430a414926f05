package chunk

import (
	"encoding/binary"
	"math/bits"
)

// A stream of bits fills each byte from its lowest bit on, so that eight bytes read as a
// little-endian word hold the next bits in order:
//
//	byte    0                 1
//	bit     0 1 2 3 4 5 6 7   8 9 10 …
//	fields  [ first ][    second     ][ …

// bitWriter appends bits to dst. The zero value with a dst is ready; flush ends it.
type bitWriter struct {
	dst []byte
	acc uint64 // bits not yet in dst, the first one lowest
	n   uint   // how many: 0 to 63
}

// write appends the n low bits of v, n at most 64. The others must be 0.
func (w *bitWriter) write(v uint64, n uint) {
	w.acc |= v << w.n
	if w.n+n < 64 {
		w.n += n
		return
	}
	w.dst = binary.LittleEndian.AppendUint64(w.dst, w.acc)
	w.acc = v >> (64 - w.n)
	w.n += n - 64
}

// flush appends what is left, filled up with zeros to a byte, and returns dst.
func (w *bitWriter) flush() []byte {
	for ; w.n > 0; w.n -= min(w.n, 8) {
		w.dst = append(w.dst, byte(w.acc))
		w.acc >>= 8
	}
	return w.dst
}

// pack appends codes less lower as fields of width bits each; what is left of them must fit.
func pack(dst []byte, codes []uint64, lower uint64, width uint) []byte {
	size := (len(codes)*int(width) + 7) / 8
	packed := grow(dst, size+8) // whole words are written
	out := packed[len(dst):]
	acc, n, at := uint64(0), uint(0), uint(0) // bits before those of out at, and how many, fewer than 8
	if width <= 14 {
		for ; len(codes) >= 4; codes = codes[4:] {
			c := (*[4]uint64)(codes)
			low := c[0] - lower | (c[1]-lower)<<(width&63)
			high := c[2] - lower | (c[3]-lower)<<(width&63)
			acc |= (low | high<<(2*width&63)) << (n & 63)
			binary.LittleEndian.PutUint64(out[at:], acc)
			n += 4 * width
			at += n >> 3
			acc >>= n &^ 7 & 63
			n &= 7
		}
	} else if width <= 28 {
		for ; len(codes) >= 2; codes = codes[2:] {
			c := (*[2]uint64)(codes)
			acc |= (c[0] - lower | (c[1]-lower)<<(width&63)) << (n & 63)
			binary.LittleEndian.PutUint64(out[at:], acc)
			n += 2 * width
			at += n >> 3
			acc >>= n &^ 7 & 63
			n &= 7
		}
	}
	for _, c := range codes {
		c -= lower
		acc |= c << (n & 63)
		if n += width; n >= 64 {
			binary.LittleEndian.PutUint64(out[at:], acc)
			at += 8
			n -= 64
			acc = c >> (width - n)
		}
	}
	binary.LittleEndian.PutUint64(out[at:], acc)
	return packed[:len(dst)+size]
}

// wordBits is how many bits wordAt gives at least.
const wordBits = 57

// wordAt returns the bits of b from bit at on: wordBits of them at least, zeros behind the
// end of b.
func wordAt(b []byte, at uint) uint64 {
	if i := at >> 3; i+8 <= uint(len(b)) {
		return binary.LittleEndian.Uint64(b[i:]) >> (at & 7)
	}
	return tailAt(b, at)
}

// tailAt is wordAt close to the end of b, or behind it.
func tailAt(b []byte, at uint) uint64 {
	var word [8]byte
	if i := at >> 3; i < uint(len(b)) {
		copy(word[:], b[i:])
	}
	return binary.LittleEndian.Uint64(word[:]) >> (at & 7)
}

// bitsAt returns the n bits of b from bit at on, n at most 64; zeros behind the end of b.
func bitsAt(b []byte, at, n uint) uint64 {
	if n <= wordBits {
		return wordAt(b, at) & (1<<n - 1)
	}
	return wordAt(b, at)&(1<<32-1) | wordAt(b, at+32)<<32&(1<<n-1)
}

// unpack sets dst to fields of width bits each, which stand in b from bit at on.
func unpack(dst []int64, b []byte, at, width uint) {
	switch {
	case width == 0:
		clear(dst)
		return
	case width > wordBits:
		for i := range dst {
			dst[i] = int64(bitsAt(b, at, width))
			at += width
		}
		return
	}
	mask := uint64(1)<<width - 1
	if width <= wordBits/8 {
		for len(dst) >= 8 {
			d, word := (*[8]int64)(dst), wordAt(b, at)
			d[0], d[1] = int64(word&mask), int64(word>>(width&63)&mask)
			word >>= 2 * width & 63
			d[2], d[3] = int64(word&mask), int64(word>>(width&63)&mask)
			word >>= 2 * width & 63
			d[4], d[5] = int64(word&mask), int64(word>>(width&63)&mask)
			word >>= 2 * width & 63
			d[6], d[7] = int64(word&mask), int64(word>>(width&63)&mask)
			at += 8 * width
			dst = dst[8:]
		}
	} else if width <= wordBits/4 {
		for len(dst) >= 4 {
			d, word := (*[4]int64)(dst), wordAt(b, at)
			d[0] = int64(word & mask)
			d[1] = int64(word >> (width & 63) & mask)
			word >>= 2 * width & 63
			d[2] = int64(word & mask)
			d[3] = int64(word >> (width & 63) & mask)
			at += 4 * width
			dst = dst[4:]
		}
	} else if width <= wordBits/2 {
		for len(dst) >= 2 {
			d, word := (*[2]int64)(dst), wordAt(b, at)
			d[0] = int64(word & mask)
			d[1] = int64(word >> (width & 63) & mask)
			at += 2 * width
			dst = dst[2:]
		}
	}
	for i := range dst {
		dst[i] = int64(wordAt(b, at) & mask)
		at += width
	}
}

// zigzag maps integers of small size, whatever their sign, to small numbers.
func zigzag(v uint64) uint64 { return v<<1 ^ uint64(int64(v)>>63) }

// unzigzag is the inverse of zigzag.
func unzigzag(v uint64) uint64 { return v>>1 ^ -(v & 1) }

// varintLen returns how many bytes v takes as a varint.
func varintLen(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }
