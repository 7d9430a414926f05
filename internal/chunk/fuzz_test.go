package chunk

import (
	"math"
	"testing"

	"metricd/internal/decimal"
)

// FuzzRoundTrip: any samples come back by their bits, in every way of decoding.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x02\x0a12345678\x00\x05\x08\x07\x18\x01\x20abcdefgh\x28\x04"))
	f.Add(make([]byte, 300))
	f.Fuzz(func(t *testing.T, data []byte) {
		times, values := fromBytes(data)
		checkRoundTrip(t, times, values)
	})
}

// addChunks seeds a target with chunks of every kind.
func addChunks(f *testing.F) {
	for _, g := range golden() {
		f.Add(new(Encoder).Append(nil, g.times, g.values))
	}
	for _, set := range makeSets() {
		for _, n := range []int{40, 300} {
			s := set.series[0].runs(n)[1]
			f.Add(new(Encoder).Append(nil, s.times, s.values))
		}
	}
}

// FuzzDecode: any bytes are an error or samples that keep the promises, the same by Decoder and Iterator.
func FuzzDecode(f *testing.F) {
	addChunks(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		var d Decoder
		var it Iterator
		times, values, err := d.Append(nil, nil, src)
		it.Reset(src)
		n := 0
		for it.Next() {
			at, v := it.At()
			if err == nil && (at != times[n] || math.Float64bits(v) != math.Float64bits(values[n])) {
				t.Fatalf("sample %d is %d %v to the iterator, %d %v to the decoder", n, at, v, times[n], values[n])
			}
			if got, want := string(it.AppendValue(nil)), string(decimal.Append(nil, v)); got != want {
				t.Fatalf("AppendValue of %x: %q, want %q", math.Float64bits(v), got, want)
			}
			n++
		}
		if (err == nil) != (it.Err() == nil) {
			t.Fatalf("the decoder's error is %v, the iterator's %v", err, it.Err())
		}
		if err != nil {
			if len(times) != 0 || len(values) != 0 {
				t.Fatalf("%d times, %d values, and the error %v", len(times), len(values), err)
			}
			return
		}
		h, err := ReadHeader(src)
		if err != nil || h.Count != n || n != len(times) || n != len(values) || n < 1 || n > MaxSamples || h.First != times[0] || h.Last != times[n-1] {
			t.Fatalf("ReadHeader = %v, %v; %d samples from %d to %d", h, err, n, times[0], times[n-1])
		}
		for i := 1; i < n; i++ {
			if times[i] <= times[i-1] {
				t.Fatalf("time %d is %d, behind %d", i, times[i], times[i-1])
			}
		}
		checkRoundTrip(t, times, values)
	})
}

// FuzzSkipTo: over any bytes, SkipTo is as many Next as it takes.
func FuzzSkipTo(f *testing.F) {
	f.Add([]byte{}, int64(0), int64(0))
	for _, g := range golden() {
		f.Add(new(Encoder).Append(nil, g.times, g.values), g.times[0]+1, g.times[len(g.times)-1])
	}
	f.Fuzz(func(t *testing.T, src []byte, first, second int64) {
		var it, steps Iterator
		it.Reset(src)
		steps.Reset(src)
		var d Decoder
		if _, _, err := d.Append(nil, nil, src); err != nil {
			// What comes before the damage may differ; it only must not panic.
			it.SkipTo(first)
			it.SkipTo(second)
			return
		}
		more := steps.Next()
		for _, to := range []int64{first, second} {
			for more {
				if at, _ := steps.At(); at >= to {
					break
				}
				more = steps.Next()
			}
			if got := it.SkipTo(to); got != more || it.Err() != nil {
				t.Fatalf("SkipTo(%d) = %v, %v; want %v", to, got, it.Err(), more)
			}
			if !more {
				return
			}
			at, v := it.At()
			if wantAt, want := steps.At(); at != wantAt || math.Float64bits(v) != math.Float64bits(want) {
				t.Fatalf("SkipTo(%d) is at %d %v, want %d %v", to, at, v, wantAt, want)
			}
		}
	})
}

// FuzzAppendValue: decimals with and without residuals, and others among them, print as decimal.Append does.
func FuzzAppendValue(f *testing.F) {
	f.Add(int64(2371), uint8(2), int8(0), uint64(0))
	f.Add(int64(51846), uint8(3), int8(1), uint64(0x7ff8000000000001))
	f.Add(int64(-1), uint8(7), int8(0), uint64(1<<63))
	f.Add(int64(99999999), uint8(0), int8(-1), uint64(5))
	f.Add(int64(1), uint8(4), int8(0), uint64(0x3f1a36e2eb1c432d))
	f.Fuzz(func(t *testing.T, m int64, k uint8, rest int8, other uint64) {
		v := float64(m) / math.Pow10(int(k%20))
		near := math.Float64frombits(math.Float64bits(v) + uint64(rest))
		next := float64(m+1) / math.Pow10(int(k%20))
		values := []float64{v, next, near, v, math.Float64frombits(other), -v, next, v, next, v}
		checkRoundTrip(t, every(len(values), 1), values)
		checkRoundTrip(t, every(3, 1), []float64{v, next, v})
	})
}

// FuzzShort: any float64 comes back by its bits, and any bytes are an error or a float64 that does.
func FuzzShort(f *testing.F) {
	for _, v := range edges {
		f.Add(math.Float64bits(v), appendShort(nil, math.Float64bits(v)))
	}
	f.Fuzz(func(t *testing.T, bits uint64, src []byte) {
		checkShort(t, bits)
		if bits, n, err := readShort(src); err == nil {
			if n < 1 || n > 9 || n > len(src) {
				t.Fatalf("readShort(%x) takes %d bytes", src, n)
			}
			checkShort(t, bits)
		}
	})
}
