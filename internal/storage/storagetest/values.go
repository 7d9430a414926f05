package storagetest

import (
	"fmt"
	"math"
	"math/rand/v2"
)

func valueChecks() []check {
	return []check{
		{"Bits", bits},
		{"BitsReplaced", bitsReplaced},
		{"RandomBits", randomBits},
		{"Text", valueText},
	}
}

func sampleOf(t int64, v float64) sample { return sample{t, math.Float64bits(v)} }

// odd are bit patterns that a store could be tempted to change.
func odd() []uint64 {
	return []uint64{
		0x0000000000000000, 0x8000000000000000, // 0, -0
		0x7ff0000000000000, 0xfff0000000000000, // infinities
		0x7ff8000000000000, 0x7ff8000000000001, 0xfff8000000000000, // quiet NaNs
		0x7ff0000000000002, 0x7ff0000000000001, 0xfff7ffffffffffff, // signalling NaNs; Prometheus' stale mark is one
		0x7fffffffffffffff, 0xffffffffffffffff,
		0x0000000000000001, 0x8000000000000001, 0x000fffffffffffff, // subnormals
		0x0010000000000000, 0x7fefffffffffffff, 0xffefffffffffffff, // smallest normal, largest
		math.Float64bits(0.1), math.Float64bits(51.846000000000004), math.Float64bits(1 << 53),
	}
}

// keepsBits puts patterns at times 0, 1, … of key and expects them back.
func (f *fixture) keepsBits(key string, patterns []uint64) {
	f.Helper()
	want := make([]float64, len(patterns))
	rows := make([]row, len(patterns))
	for i, p := range patterns {
		want[i] = math.Float64frombits(p)
		rows[i] = row{key, int64(i), want[i]}
	}
	f.append(rows...)
	f.wantSamples(key, 1, want)
	f.step()
	f.wantSamples(key, 1, want)
}

// bits: all odd patterns side by side, and each alone in a series.
func bits(f *fixture) {
	f.keepsBits("all", odd())
	for i, p := range odd() {
		f.keepsBits(fmt.Sprintf("alone.%d", i), []uint64{p})
		f.keepsBits(fmt.Sprintf("repeated.%d", i), []uint64{p, p, p, p, p})
	}
}

// bitsReplaced: equal by == is not equal by bits.
func bitsReplaced(f *fixture) {
	zero := 0.0
	f.put("a 1=0")
	f.append(row{"a", 1, -zero})
	f.append(row{"a", 1, math.Copysign(0, -1)})
	f.want(byKey("a"), "a 1=-0")
	f.put("a 1=0")
	f.want(byKey("a"), "a 1=0")
	f.append(row{"a", 1, math.Float64frombits(0x7ff8000000000001)})
	f.append(row{"a", 1, math.Float64frombits(0x7ff8000000000002)})
	f.want(byKey("a"), "a 1=NaN:7ff8000000000002")
}

// randomBits: runs of a thousand, of any pattern and of decimals with few digits.
func randomBits(f *fixture) {
	rng := rand.New(rand.NewPCG(3, 4))
	anything, decimals, walk := make([]uint64, 1000), make([]uint64, 1000), make([]uint64, 1000)
	for i := range anything {
		anything[i] = rng.Uint64()
		decimals[i] = math.Float64bits(float64(rng.IntN(20_000)-10_000) / 100)
		walk[i] = math.Float64bits(51.846) + uint64(rng.IntN(4)) // units in the last place
	}
	f.keepsBits("anything", anything)
	f.keepsBits("decimals", decimals)
	f.keepsBits("walk", walk)
	f.keepsBits("mixed", append(append(decimals[:500:500], odd()...), anything[:100]...))
}

// valueText: AppendValue writes Python's repr, behind what dst holds, without moving.
func valueText(f *fixture) {
	tests := []struct {
		v    float64
		want string
	}{
		{0, "0.0"},
		{math.Copysign(0, -1), "-0.0"},
		{10, "10.0"},
		{-7, "-7.0"},
		{0.1, "0.1"},
		{-12.5, "-12.5"},
		{0.30000000000000004, "0.30000000000000004"},
		{51.846000000000004, "51.846000000000004"},
		{0.0001, "0.0001"},
		{0.00001, "1e-05"},
		{0.00012345, "0.00012345"},
		{1.5e-7, "1.5e-07"},
		{1e15, "1000000000000000.0"},
		{9999999999999998, "9999999999999998.0"},
		{1e16, "1e+16"},
		{-1e16, "-1e+16"},
		{123456789012345680, "1.2345678901234568e+17"},
		{1e22, "1e+22"},
		{1e100, "1e+100"},
		{math.MaxFloat64, "1.7976931348623157e+308"},
		{math.SmallestNonzeroFloat64, "5e-324"},
		{2.2250738585072014e-308, "2.2250738585072014e-308"},
		{math.Inf(1), "inf"},
		{math.Inf(-1), "-inf"},
		{math.NaN(), "nan"},
		{math.Float64frombits(0xfff8000000000007), "nan"},
	}
	for i, tt := range tests {
		f.append(row{"a", int64(i), tt.v})
	}
	f.step()
	set := f.store.Select(f.Context(), byKey("a"))
	defer set.Close()
	if !set.Next() {
		f.Fatalf("no series: %v", set.Err())
	}
	it := set.At().Iterator(nil)
	for i, tt := range tests {
		if !it.Next() {
			f.Fatalf("ended before sample %d: %v", i, it.Err())
		}
		for range 2 {
			if got := string(it.AppendValue([]byte("v="))); got != "v="+tt.want {
				f.Errorf("AppendValue of %v = %q, want %q", tt.v, got, "v="+tt.want)
			}
			if got, want := at(it), sampleOf(int64(i), tt.v); got != want {
				f.Errorf("At = %v beside AppendValue, want %v", got, want)
			}
		}
	}
}
