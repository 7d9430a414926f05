package lineserver

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"metricd/internal/storage"
)

// TestOutbox: whatever is added, moved, released and spoiled in whatever order, what may be written is a
// beginning of the replies in their order, up to the first that is not durable.
func TestOutbox(t *testing.T) {
	const bad = "error\nstore failed\n\n"
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 500 {
		var o, more outbox
		var buf []byte
		type reply struct {
			text string
			seq  storage.Seq // of an ok; 0: none
		}
		var replies []reply
		var durable, seq storage.Seq
		var got bytes.Buffer
		spoiled := false
		for range rnd.IntN(60) {
			switch rnd.IntN(8) {
			case 0, 1:
				n := rnd.IntN(4) * rnd.IntN(4)
				if rnd.IntN(50) == 0 {
					n = 40_000
				}
				if rnd.IntN(3) > 0 {
					seq++
				}
				seq = max(seq, 1)
				more.addOKs(n, seq)
				for range n {
					replies = append(replies, reply{okText, seq})
				}
			case 2, 3:
				text := fmt.Sprintf("<%d>", len(replies))
				more.addString(text)
				replies = append(replies, reply{text, 0})
			case 4:
				o.move(&more)
			case 5:
				if !spoiled {
					durable = max(durable, storage.Seq(rnd.IntN(int(seq)+1)))
					o.release(durable)
				}
			case 6:
				if rnd.IntN(5) == 0 && len(o.marks) > 0 && o.marks[0].seq > durable && o.ready == 0 {
					durable, spoiled = o.marks[0].seq-1, true
					o.spoil(bad)
				}
			case 7:
				for !o.empty() && rnd.IntN(5) > 0 {
					var p []byte
					if p, buf = o.next(buf); len(p) == 0 {
						break
					}
					n := 1 + rnd.IntN(len(p))
					got.Write(p[:n])
					o.consume(n)
				}
			}
		}
		o.move(&more)
		if !spoiled {
			o.release(durable)
		}
		for !o.empty() {
			var p []byte
			if p, buf = o.next(buf); len(p) == 0 {
				break
			}
			got.Write(p)
			o.consume(len(p))
		}
		var want strings.Builder
		for _, r := range replies {
			if r.seq > durable && !spoiled {
				break
			}
			if r.seq > durable {
				r.text = bad
			}
			want.WriteString(r.text)
		}
		if got.String() != want.String() {
			t.Fatalf("got %d bytes, want %d", got.Len(), want.Len())
		}
		if o.empty() != (len(o.marks) == 0) || o.held() == 0 && !o.empty() {
			t.Fatalf("%d oks held, empty: %v", o.held(), o.empty())
		}
	}
}
