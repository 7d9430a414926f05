package lineserver

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// TestLearnedOrder: while a connection learns and forgets the order of its series, series come
// and go and limits refuse some, every sample ends up where it belongs.
func TestLearnedOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 30 {
		const limit = 25
		db := openStore(tsdb.Options{MaxSeries: limit})
		r := start(t, Config{Store: db})
		c := r.dial()
		model := map[string]map[int64]int{}
		keys := 5 + rnd.IntN(30)
		at, sample := 0, 0
		for range 40 {
			var requests, want strings.Builder
			for range 1 + rnd.IntN(100) {
				switch rnd.IntN(15) {
				case 0:
					at = rnd.IntN(keys)
				case 1:
					at += rnd.IntN(3)
				case 2:
					requests.WriteString("nonsense\n")
					want.WriteString(wrong)
				default:
					at++
				}
				key := fmt.Sprintf("k%d", at%keys) // k1 is the beginning of k10
				ts := int64(1_700_000_000 + rnd.IntN(50))
				sample++
				fmt.Fprintf(&requests, "put %s %d %d\n", key, sample, ts)
				if model[key] == nil && len(model) == limit {
					want.WriteString("error\nseries limit reached: 25 series is the most allowed (--max-series)\n\n")
					continue
				}
				if model[key] == nil {
					model[key] = map[int64]int{}
				}
				model[key][ts] = sample
				want.WriteString("ok\n\n")
			}
			send(t, c, requests.String())
			expect(t, c, want.String())
			for rnd.IntN(3) == 0 {
				key := fmt.Sprintf("k%d", rnd.IntN(keys))
				if err := db.Delete(t.Context(), storage.Query{Key: key, Mint: storage.MinTime, Maxt: storage.MaxTime}); err != nil {
					t.Fatal(err)
				}
				delete(model, key)
			}
		}
		for i := range keys {
			key := fmt.Sprintf("k%d", i)
			want := "ok\n"
			for ts := int64(1_700_000_000); ts < 1_700_000_050; ts++ {
				if v, ok := model[key][ts]; ok {
					want += fmt.Sprintf("%s %d.0 %d\n", key, v, ts)
				}
			}
			if got := r.talk("get " + key + "\n"); got != want+"\n" {
				t.Fatalf("%s: got %q, want %q", key, got, want)
			}
		}
		c.Close()
		r.stop()
		r.wait()
		db.Close()
	}
}

// TestLongLineAfterLearning: the rest of a line that is too long may look like the next expected
// line; it is skipped all the same. The pieces are sent one after the other has been read.
func TestLongLineAfterLearning(t *testing.T) {
	r := start(t, Config{MaxLine: 100})
	c := r.dial()
	for i := range 30 {
		send(t, c, fmt.Sprintf("put a %d 1700000000\n", i))
		expect(t, c, "ok\n\n")
	}
	send(t, c, strings.Repeat("x", 150))
	expect(t, c, wrong)
	send(t, c, "put a 666 1700000000\nget a\n")
	expect(t, c, "ok\na 29.0 1700000000\n\n")
}

// TestTimestampNotRemembered: a long timestamp is not taken for one that can be compared as two words.
func TestTimestampNotRemembered(t *testing.T) {
	c := start(t, Config{}).dial()
	for i := range 20 {
		send(t, c, fmt.Sprintf("put a %d 1000000000000000\n", i))
		expect(t, c, "ok\n\n")
		send(t, c, "put a 1.0 "+strings.Repeat("\x00", 16)+"\n")
		expect(t, c, wrong)
	}
}

// TestSlowClientLives: a client that was stopped and reads a little now and then is not taken for
// a dead one, though its socket reports no room for much longer than the timeout.
func TestSlowClientLives(t *testing.T) {
	r := start(t, Config{WriteTimeout: 300 * time.Millisecond})
	key := strings.Repeat("k", 200) // long replies: the same bytes with fewer gets
	r.talk("put " + key + " 1 1\n")
	c := r.dial()
	c.SetReadBuffer(16 << 10)
	reply := "ok\n" + key + " 1.0 1\n\n"
	const gets = 35_000
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write([]byte(strings.Repeat("get "+key+"\n", gets)))
		c.CloseWrite()
		sent <- err
	}()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	buf := make([]byte, 20<<10)
	total := 0
	for range 30 {
		<-tick.C
		n, err := c.Read(buf)
		if err != nil {
			t.Fatalf("after %d bytes: %v", total, err)
		}
		total += n
	}
	rest, err := io.ReadAll(c)
	if total += len(rest); err != nil || total != gets*len(reply) {
		t.Errorf("got %d bytes (%v), want %d", total, err, gets*len(reply))
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	if st := r.srv.Stats(); st.Stalled != 0 {
		t.Errorf("stats %+v", st)
	}
}
