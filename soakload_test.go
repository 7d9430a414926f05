package metricd_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"time"

	"metricd/client"
)

// The roles of TestSoak. Writers end with load.writing and know what they wrote; the others go on until the
// server stops.

// rand returns the random numbers of one goroutine.
func (l *load) rand(role string, id int) *rand.Rand {
	var seed [32]byte
	copy(seed[:], fmt.Sprint(l.seed, role, id))
	return rand.New(rand.NewChaCha8(seed))
}

// value returns any float64, mostly one of two decimals.
func value(r *rand.Rand) float64 {
	switch r.IntN(50) {
	case 0:
		return math.Float64frombits(r.Uint64())
	case 1:
		return []float64{math.Inf(1), math.Inf(-1), math.NaN(), math.Copysign(0, -1)}[r.IntN(4)]
	}
	return float64(r.IntN(100_000)) / 100
}

// stream puts without waiting for replies: time goes on in all series alike, and a fifth of the samples is late or
// replaces another.
func (l *load) stream(id int) {
	w, err := client.DialWriter(context.Background(), l.addr, client.WriterOptions{
		Options: unforgiving,
		OnError: func(e *client.PutError) { l.t.Error(e) },
	})
	if err != nil {
		l.t.Error(err)
		return
	}
	var keys []string
	for i := range 50 {
		keys = append(keys, fmt.Sprintf("stream;writer=%d;series=%d", id, i))
	}
	r, acked, done := l.rand("stream", id), samples{}, l.count("samples streamed")
	for now := int64(0); l.writing.Err() == nil; now++ {
		for _, key := range keys {
			at, v := now, value(r)
			if r.IntN(5) == 0 {
				at = r.Int64N(2*now+1) - now
			}
			if err := w.Put(key, v, time.Unix(at, 0)); err != nil {
				l.t.Error(err)
				return
			}
			acked.put(key, at, v)
			done.Add(1)
		}
		if now%20 == 0 { // let others have the processors, too
			if err := w.Flush(context.Background()); err != nil {
				l.t.Error(err)
				return
			}
		}
	}
	if err := w.Close(context.Background()); err != nil {
		l.t.Error(err)
	}
	l.keep(acked, nil)
}

// single puts one sample at a time and reads its series on another connection right after the ok.
func (l *load) single(id int) {
	put, get := l.dial(), l.dial()
	if put == nil || get == nil {
		return
	}
	defer put.Close()
	defer get.Close()
	r, acked, done := l.rand("single", id), samples{}, l.count("single puts read back")
	for n := 0; l.writing.Err() == nil; n++ {
		key := fmt.Sprintf("single.%d.%d", id, n/100)
		at, v := int64(r.IntN(200)), value(r)
		if err := put.Put(context.Background(), key, v, time.Unix(at, 0)); err != nil {
			l.t.Error(err)
			return
		}
		acked.put(key, at, v)
		got, err := get.Get(context.Background(), key)
		if err != nil || len(got) != len(acked[key]) {
			l.t.Errorf("get %s: %d samples, want %d; %v", key, len(got), len(acked[key]), err)
		}
		for _, s := range got {
			if want, ok := acked[key][s.Time.Unix()]; !ok || !same(s.Value, want) {
				l.t.Errorf("get %s: %v at %d, want %v", key, s.Value, s.Time.Unix(), want)
			}
		}
		done.Add(1)
	}
	l.keep(acked, nil)
}

// each makes a connection for each request.
func (l *load) each() {
	acked, done := samples{}, l.count("connections of one request")
	for n := int64(0); l.writing.Err() == nil; n++ {
		key := fmt.Sprintf("each.%d", n%100)
		for _, x := range [][2]string{
			{fmt.Sprintf("put %s %d.5 %d\n", key, n, n), "ok\n\n"},
			{"get " + key + "\n\n", fmt.Sprintf("%s %d.5 %d\n\n", key, n, n)}, // the last row
		} {
			if got, err := l.ask(x[0]); err != nil || !strings.HasPrefix(got, "ok\n") || !strings.HasSuffix(got, x[1]) {
				l.t.Errorf("%q was answered %q, %v; want ok and at the end %q", x[0], got, err, x[1])
				return
			}
			done.Add(1)
		}
		acked.put(key, n, float64(n)+.5)
	}
	l.keep(acked, nil)
}

// ask sends one request over a connection of its own and returns all that comes.
func (l *load) ask(request string) (string, error) {
	conn, err := net.Dial("tcp", l.addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		return "", err
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		return "", err
	}
	reply, err := io.ReadAll(conn)
	return string(reply), err
}

// cut pipelines puts, reads a part of their replies and resets the connection. What was acknowledged must stay.
func (l *load) cut(id int) {
	r, acked, unsure, done := l.rand("cut", id), samples{}, samples{}, l.count("pipelines cut")
	for n := 0; l.writing.Err() == nil; n++ {
		conn, err := net.Dial("tcp", l.addr)
		if err != nil {
			l.t.Error(err)
			return
		}
		key := fmt.Sprintf("cut;writer=%d;connection=%d", id, n)
		lines := 1 + r.IntN(2000)
		var text strings.Builder
		for i := range lines {
			fmt.Fprintf(&text, "put %s %d %d\n", key, i, i)
		}
		replies := make([]byte, r.IntN(lines*len("ok\n\n")+1))
		if _, err = io.WriteString(conn, text.String()); err == nil {
			_, err = io.ReadFull(conn, replies)
		}
		if err != nil || string(replies) != strings.Repeat("ok\n\n", lines)[:len(replies)] {
			l.t.Errorf("%d puts were answered %q, %v", lines, replies, err)
		}
		for i := range lines {
			if i < len(replies)/len("ok\n\n") {
				acked.put(key, int64(i), float64(i))
			} else {
				unsure.put(key, int64(i), float64(i))
			}
		}
		reset(conn)
		done.Add(1)
	}
	l.keep(acked, unsure)
}

// reset closes a connection without an orderly end.
func reset(conn net.Conn) {
	conn.(*net.TCPConn).SetLinger(0) //nolint:errcheck // it is closed in any case
	conn.Close()
}

// noiseKey is a key that noise puts to.
const noiseKey = "noise"

// noise sends whatever comes to mind, reads none or a little of the replies, and resets.
func (l *load) noise(id int) {
	pieces := []string{
		"put noise 1 1\n", "put noise 1 ", "2\n", "get *\n", "get noise\nget nothing\n", "get noise\r\n\r\n", "put * 1 1\n",
		strings.Repeat("x", 100_000) + "\n", "\x00\xff\n", strings.Repeat("put noise 7 7\n", 3000), "GET / HTTP/1.1\r\n\r\n", " \t\n",
	}
	r, done := l.rand("noise", id), l.count("noises")
	for l.running.Err() == nil {
		conn, err := net.Dial("tcp", l.addr)
		if err != nil {
			if l.running.Err() == nil {
				l.t.Error(err)
			}
			return
		}
		conn.SetDeadline(time.Now().Add(20 * time.Millisecond)) //nolint:errcheck // or its calls fail at once
		for range r.IntN(10) {
			if _, err := io.WriteString(conn, pieces[r.IntN(len(pieces))]); err != nil {
				break // HTTP was the first line, or too much is unread
			}
		}
		io.CopyN(io.Discard, conn, r.Int64N(3)) //nolint:errcheck // there may be no reply
		reset(conn)
		done.Add(1)
	}
}

// slow asks for everything and reads little at a time, until the server stops; then the rest.
func (l *load) slow() {
	conn, err := net.Dial("tcp", l.addr)
	if err != nil {
		l.t.Error(err)
		return
	}
	defer conn.Close()
	conn.(*net.TCPConn).SetReadBuffer(256 << 10) //nolint:errcheck // it only makes it slower
	done, pace := l.count("slow reads"), time.NewTicker(2*time.Millisecond)
	defer pace.Stop()
	for l.running.Err() == nil {
		if _, err := io.WriteString(conn, "get *\n"); err != nil {
			l.t.Error(err)
			return
		}
		for tail, buf := "", make([]byte, 4096); l.running.Err() == nil && tail != "\n\n"; <-pace.C {
			n, err := conn.Read(buf)
			if err != nil {
				l.t.Error(err)
				return
			}
			tail += string(buf[:n])
			tail = tail[max(0, len(tail)-2):]
			done.Add(1)
		}
	}
	if _, err := io.Copy(io.Discard, conn); err != nil {
		l.t.Errorf("the rest of what a slow reader asked for: %v", err)
	}
}

// watch reads everything over and over and checks the order of what it sees.
func (l *load) watch() {
	c := l.dial()
	if c == nil {
		return
	}
	defer c.Close()
	done := l.count("get * in order")
	for l.running.Err() == nil {
		var keys []string
		var last time.Time
		for row, err := range c.GetAll(l.running) {
			switch {
			case err != nil && l.running.Err() != nil:
				return
			case err != nil:
				l.t.Error(err)
				return
			case len(keys) == 0 || row.Key != keys[len(keys)-1]:
				keys = append(keys, row.Key)
			case !row.Time.After(last):
				l.t.Errorf("%s: a row at %v after one at %v", row.Key, row.Time, last)
			}
			last = row.Time
		}
		slices.Sort(keys)
		if len(slices.Compact(slices.Clone(keys))) != len(keys) {
			l.t.Error("get * shows a key twice")
		}
		done.Add(1)
	}
}
