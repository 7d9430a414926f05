package chunk

// sorter sorts integers. It holds scratch memory only.
type sorter struct{ other []uint64 }

// sort sorts xs, all below 2^width, byte by byte from the lowest one on (LSD radix sort). The result is in
// xs or in memory of the sorter; the other content of both is lost.
func (s *sorter) sort(xs []uint64, width uint) []uint64 {
	if len(xs) < 32 {
		insertionSort(xs)
		return xs
	}
	if cap(s.other) < len(xs) {
		s.other = make([]uint64, len(xs))
	}
	from, to := xs, s.other[:len(xs)]
	for shift := uint(0); shift < width; shift += 8 {
		var at [256]int32
		for _, x := range from {
			at[x>>(shift&63)&255]++
		}
		if int(at[from[0]>>(shift&63)&255]) == len(from) {
			continue
		}
		sum := int32(0)
		for i, n := range at {
			at[i] = sum
			sum += n
		}
		for _, x := range from {
			i := &at[x>>(shift&63)&255]
			to[*i] = x
			*i++
		}
		from, to = to, from
	}
	return from
}

// insertionSort sorts few integers.
func insertionSort(xs []uint64) {
	for i, x := range xs {
		for ; i > 0 && xs[i-1] > x; i-- {
			xs[i] = xs[i-1]
		}
		xs[i] = x
	}
}
