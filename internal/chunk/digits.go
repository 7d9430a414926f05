package chunk

import (
	"math"

	"metricd/internal/decimal"
)

// maxLeadingZeros: values below 1e-4 are printed with an exponent.
const maxLeadingZeros = 4

// AppendValue appends the value at hand to dst as text, exactly as decimal.Append would.
//
// The digits of a decimal m / 10^k are those of m without the zeros at the end: they are the shortest that read
// back as that float64, since m has 15 at most (see decimal.Append). A value that is no decimal but near one
// is found out by making the float64 of m again.
func (it *Iterator) AppendValue(dst []byte) []byte {
	v, r := it.values[it.pos], &it.d.values
	if r.kind&kindDecimal == 0 {
		return decimal.Append(dst, v)
	}
	m, k := it.ints[it.pos], uint(r.kind&kindExponent)
	size := uint64(max(m, -m))
	if size >= decimal.MaxFixed || k > decimal.MaxFixedExponent || k > maxLeadingZeros && float64(size)*1e4 < r.scale.power ||
		!r.exact() && math.Float64bits(r.scale.decimal(m)) != math.Float64bits(v) {
		return decimal.Append(dst, v)
	}
	return decimal.AppendFixed(dst, m, k)
}
