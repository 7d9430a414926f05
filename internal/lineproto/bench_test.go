package lineproto

import (
	"fmt"
	"testing"
)

// BenchmarkNext parses 10,000 lines of one timestamp, as an agent sends them, and says what one costs.
func BenchmarkNext(b *testing.B) {
	for _, bm := range []struct{ name, format string }{
		{"walk", "put host_%04d.cpu.usage_user %d.%02d 1700000000\n"},
		{"crlf", "put host_%04d.cpu.usage_user %d.%02d 1700000000\r\n"},
		{"17digits", "put host_%04d.cpu.usage_user %d.84%02d0000000004 1700000000\n"},
		{"spaces", "put  host_%04d.cpu.usage_user  %d.%02d  1700000000\n"},
		{"utf8", "put ключ_%04d.cpu.usage_user %d.%02d 1700000000\n"},
		{"malformed", "put host_%04d.cpu.usage_user %d.%02d 5.0\n"},
	} {
		b.Run(bm.name, func(b *testing.B) {
			var text []byte
			const lines = 10_000
			for i := range lines {
				text = fmt.Appendf(text, bm.format, i, i*7919%100, i*31%100)
			}
			var p Parser
			var req Request
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				for buf := text; len(buf) > 0; {
					buf = buf[p.Next(buf, &req):]
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/lines, "ns/line")
		})
	}
}

func BenchmarkReplyNext(b *testing.B) {
	text := []byte(GetHead)
	const rows = 1000
	for i := range rows {
		text = AppendRow(text, "host_0042.cpu.usage_user", float64(i*7919%10_000)/100, int64(1_700_000_000+10*i))
	}
	text = append(text, GetTail...)
	var p ReplyParser
	var part Part
	b.ReportAllocs()
	for b.Loop() {
		for buf := text; len(buf) > 0; {
			n, err := p.Next(buf, &part)
			if err != nil {
				b.Fatal(err)
			}
			buf = buf[n:]
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}

func BenchmarkAppendRow(b *testing.B) {
	var dst []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		dst = AppendRow(dst[:0], "host_0042.cpu.usage_user", float64(i%10_000)/100, 1_700_000_000)
	}
}

func BenchmarkTimePrinter(b *testing.B) {
	var p TimePrinter
	var dst []byte
	b.ReportAllocs()
	for i := int64(1_700_000_000); b.Loop(); i += 10 {
		dst = p.Append(dst[:0], i)
	}
}
