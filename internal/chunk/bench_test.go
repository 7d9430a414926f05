package chunk

import (
	"strconv"
	"testing"
)

const benchRun = 1024

// report reports the speed of a benchmark that did n samples an iteration.
func report(b *testing.B, n int) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Msamples/s")
}

func (s dataSet) runs() []series {
	var runs []series
	for _, s := range s.series {
		runs = append(runs, s.runs(benchRun)...)
	}
	return runs
}

// chunks returns the chunks of a set, and how many samples and bytes they have.
func (s dataSet) chunks() (chunks [][]byte, samples, bytes int) {
	var e Encoder
	for _, r := range s.runs() {
		c := e.Append(nil, r.times, r.values)
		chunks = append(chunks, c)
		samples += len(r.times)
		bytes += len(c)
	}
	return chunks, samples, bytes
}

func BenchmarkEncode(b *testing.B) {
	for _, set := range sets(b) {
		runs := set.runs()
		_, samples, bytes := set.chunks()
		b.Run(set.name, func(b *testing.B) {
			var e Encoder
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				for _, r := range runs {
					dst = e.Append(dst[:0], r.times, r.values)
				}
			}
			report(b, samples)
			b.ReportMetric(float64(bytes)/float64(samples), "bytes/sample")
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, set := range sets(b) {
		chunks, samples, _ := set.chunks()
		b.Run(set.name, func(b *testing.B) {
			var d Decoder
			var ts []int64
			var vs []float64
			b.ReportAllocs()
			for b.Loop() {
				for _, c := range chunks {
					ts, vs, _ = d.Append(ts[:0], vs[:0], c)
				}
			}
			report(b, samples)
		})
	}
}

func BenchmarkIterate(b *testing.B) {
	for _, set := range sets(b) {
		chunks, samples, _ := set.chunks()
		b.Run(set.name, func(b *testing.B) {
			var it Iterator
			var sum float64
			b.ReportAllocs()
			for b.Loop() {
				for _, c := range chunks {
					it.Reset(c)
					for it.Next() {
						_, v := it.At()
						sum += v
					}
				}
			}
			benchSink = sum
			report(b, samples)
		})
	}
}

func BenchmarkAppendValue(b *testing.B) {
	for _, set := range sets(b) {
		chunks, samples, _ := set.chunks()
		b.Run(set.name, func(b *testing.B) {
			var it Iterator
			var text []byte
			b.ReportAllocs()
			for b.Loop() {
				for _, c := range chunks {
					it.Reset(c)
					for it.Next() {
						text = it.AppendValue(text[:0])
					}
				}
			}
			report(b, samples)
		})
	}
}

// benchSink keeps results from being optimised away.
var benchSink float64

// BenchmarkEncodeShort encodes walk in short runs, as flushes of many series do.
func BenchmarkEncodeShort(b *testing.B) {
	walk := makeSets()[0].series[0]
	for _, n := range []int{1, 5, 20, 100} {
		runs := walk.runs(n)[:200]
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			var e Encoder
			var dst []byte
			bytes := 0
			b.ReportAllocs()
			for b.Loop() {
				bytes = 0
				for _, r := range runs {
					dst = e.Append(dst[:0], r.times, r.values)
					bytes += len(dst)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N*len(runs)), "ns/chunk")
			b.ReportMetric(float64(bytes)/float64(len(runs)), "bytes/chunk")
		})
	}
}
