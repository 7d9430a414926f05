package chunk

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
)

// nab is a file of put lines, gzip: real series to measure with beside the made ones.
var nab = flag.String("nab", "", "measure with the series of this file of put lines (gzip), too")

// A series is samples in ascending order of time.
type series struct {
	times  []int64
	values []float64
}

// runs cuts the series into runs of n samples, the last one shorter.
func (s series) runs(n int) []series {
	var runs []series
	for i := 0; i < len(s.times); i += n {
		j := min(i+n, len(s.times))
		runs = append(runs, series{s.times[i:j], s.values[i:j]})
	}
	return runs
}

// A dataSet is series of one kind.
type dataSet struct {
	name   string
	series []series
}

// setSize is how many samples each made set has.
const setSize = 40 << 10

// every returns n times, step seconds apart.
func every(n int, step int64) []int64 {
	ts := make([]int64, n)
	for i := range ts {
		ts[i] = 1_700_000_000_000 + int64(i)*step*1000
	}
	return ts
}

// values returns setSize values.
func values(next func(i int) float64) []float64 {
	vs := make([]float64, setSize)
	for i := range vs {
		vs[i] = next(i)
	}
	return vs
}

// cents is v to two decimals.
func cents(v float64) float64 { return math.Round(v*100) / 100 }

// makeSets makes the data sets that are measured.
func makeSets() []dataSet {
	r := rand.New(rand.NewPCG(1, 2))
	steady := func(name string, next func(i int) float64) dataSet {
		return dataSet{name, []series{{every(setSize, 10), values(next)}}}
	}
	at, gauss, total := 5000, 50.0, 0.0
	jitter := steady("jitter", func(i int) float64 { gauss = cents(math.Abs(gauss + r.NormFloat64())); return gauss })
	for i := range jitter.series[0].times {
		jitter.series[0].times[i] += int64(r.NormFloat64() * 5)
	}
	return []dataSet{
		// The walk of bench: cents, reflected at 0 and 100, steps up to 1.00 of equal probability.
		steady("walk", func(i int) float64 {
			at += r.IntN(201) - 100
			if at < 0 {
				at = -at
			}
			if at > 10000 {
				at = 20000 - at
			}
			return float64(at) / 100
		}),
		// Steps of normal distribution, deviation 1.00.
		steady("gauss", func(i int) float64 { gauss = cents(math.Abs(gauss + r.NormFloat64())); return gauss }),
		steady("constant", func(i int) float64 { return 51.37 }),
		steady("counter", func(i int) float64 { total += float64(r.IntN(1000)); return total }),
		steady("random", func(i int) float64 { return r.Float64() }),
		steady("ulp", func(i int) float64 {
			v := math.Round((40+3*r.NormFloat64())*1000) / 1000
			if r.IntN(2) == 0 {
				v = math.Nextafter(v, 100)
			}
			return v
		}),
		jitter,
	}
}

// readNab reads the file that -nab names: no sets without it. Of samples with one time, the last one
// counts.
func readNab(tb testing.TB) []dataSet {
	if *nab == "" {
		return nil
	}
	f, err := os.Open(*nab)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	byKey := map[string]map[int64]float64{}
	lines := bufio.NewScanner(z)
	for lines.Scan() {
		tokens := bytes.Fields(lines.Bytes())
		v, err1 := strconv.ParseFloat(string(tokens[2]), 64)
		t, err2 := strconv.ParseInt(string(tokens[3]), 10, 64)
		if err1 != nil || err2 != nil {
			tb.Fatal(err1, err2)
		}
		key := string(tokens[1])
		if byKey[key] == nil {
			byKey[key] = map[int64]float64{}
		}
		byKey[key][t*1000] = v
	}
	if lines.Err() != nil {
		tb.Fatal(lines.Err())
	}
	set := dataSet{name: "nab"}
	for _, samples := range byKey {
		var s series
		for t := range samples {
			s.times = append(s.times, t)
		}
		slices.Sort(s.times)
		for _, t := range s.times {
			s.values = append(s.values, samples[t])
		}
		set.series = append(set.series, s)
	}
	return []dataSet{set}
}

// sets are all data sets.
func sets(tb testing.TB) []dataSet { return append(makeSets(), readNab(tb)...) }
