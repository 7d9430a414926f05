package remotewrite

import (
	"math"

	"github.com/golang/snappy"
	"google.golang.org/protobuf/encoding/protowire"
)

// The messages, encoded plainly, as gogo/protobuf does it for Prometheus.

type sampleAt struct {
	t int64
	v float64
}

type sent struct {
	labels     []string // name, value, name, value …
	samples    []sampleAt
	histograms []nativeSent
	exemplars  int
	kind       uint64
	help, unit string
}

type nativeSent struct {
	schema    int32
	count     float64
	floats    bool
	sum       float64
	threshold float64
	zero      uint64
	spans     []span
	deltas    []int64
	counts    []float64
	bounds    []float64
	negative  bool
	t         int64
}

func bytesField(b []byte, n protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), v)
}

func varintField(b []byte, n protowire.Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), v)
}

func doubleField(b []byte, n protowire.Number, v float64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendFixed64(protowire.AppendTag(b, n, protowire.Fixed64Type), math.Float64bits(v))
}

func (s sampleAt) encode() []byte {
	return varintField(doubleField(nil, 1, s.v), 2, uint64(s.t))
}

func (h nativeSent) encode() (b []byte) {
	if h.floats {
		b = protowire.AppendFixed64(protowire.AppendTag(b, 2, protowire.Fixed64Type), math.Float64bits(h.count))
	} else {
		b = protowire.AppendVarint(protowire.AppendTag(b, 1, protowire.VarintType), uint64(h.count))
	}
	b = doubleField(b, 3, h.sum)
	b = varintField(b, 4, protowire.EncodeZigZag(int64(h.schema))&math.MaxUint32)
	b = doubleField(b, 5, h.threshold)
	b = protowire.AppendVarint(protowire.AppendTag(b, 6, protowire.VarintType), h.zero)
	if h.negative {
		b = bytesField(b, 8, varintField(nil, 2, 1))
		b = bytesField(b, 9, []byte{2})
	}
	for _, s := range h.spans {
		b = bytesField(b, 11, varintField(varintField(nil, 1, protowire.EncodeZigZag(int64(s.offset))&math.MaxUint32), 2, uint64(s.length)))
	}
	var packed []byte
	for _, d := range h.deltas {
		packed = protowire.AppendVarint(packed, protowire.EncodeZigZag(d))
	}
	if len(packed) > 0 {
		b = bytesField(b, 12, packed)
	}
	if len(h.counts) > 0 {
		b = bytesField(b, 13, packedDoubles(h.counts))
	}
	b = varintField(b, 14, 3)
	b = varintField(b, 15, uint64(h.t))
	if len(h.bounds) > 0 {
		b = bytesField(b, 16, packedDoubles(h.bounds))
	}
	return b
}

func packedDoubles(all []float64) (b []byte) {
	for _, v := range all {
		b = protowire.AppendFixed64(b, math.Float64bits(v))
	}
	return b
}

// encode1 returns a prometheus.WriteRequest.
func encode1(all ...sent) (b []byte) {
	for _, s := range all {
		var ts []byte
		for i := 0; i < len(s.labels); i += 2 {
			ts = bytesField(ts, 1, bytesField(bytesField(nil, 1, []byte(s.labels[i])), 2, []byte(s.labels[i+1])))
		}
		for _, p := range s.samples {
			ts = bytesField(ts, 2, p.encode())
		}
		for range s.exemplars {
			ts = bytesField(ts, 3, doubleField(nil, 2, 1))
		}
		for _, h := range s.histograms {
			ts = bytesField(ts, 4, h.encode())
		}
		b = bytesField(b, 1, ts)
	}
	for _, s := range all {
		if s.kind != 0 || s.help != "" || s.unit != "" {
			m := bytesField(varintField(nil, 1, s.kind), 2, []byte(s.labels[1]))
			b = bytesField(b, 3, bytesField(bytesField(m, 4, []byte(s.help)), 5, []byte(s.unit)))
		}
	}
	return b
}

// encode2 returns an io.prometheus.write.v2.Request.
func encode2(all ...sent) []byte {
	symbols := []string{""}
	number := map[string]uint64{"": 0}
	ref := func(s string) uint64 {
		n, ok := number[s]
		if !ok {
			n = uint64(len(symbols))
			number[s] = n
			symbols = append(symbols, s)
		}
		return n
	}
	var series []byte
	for _, s := range all {
		var ts, refs []byte
		for _, l := range s.labels {
			refs = protowire.AppendVarint(refs, ref(l))
		}
		ts = bytesField(ts, 1, refs)
		for _, p := range s.samples {
			ts = bytesField(ts, 2, p.encode())
		}
		for _, h := range s.histograms {
			ts = bytesField(ts, 3, h.encode())
		}
		for range s.exemplars {
			ts = bytesField(ts, 4, doubleField(nil, 2, 1))
		}
		ts = bytesField(ts, 5, varintField(varintField(varintField(nil, 1, s.kind), 3, ref(s.help)), 4, ref(s.unit)))
		series = bytesField(series, 5, ts)
	}
	var b []byte
	for _, s := range symbols {
		b = bytesField(b, 4, []byte(s))
	}
	return append(b, series...)
}

func pack(message []byte) []byte { return snappy.Encode(nil, message) }
