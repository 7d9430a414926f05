package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// dialog is one connection's part in a load without pipelining: a request, its reply, the
// next request. It knows which bytes must come. It is for one goroutine.
type dialog struct {
	// next appends the next request to dst and returns it with the reply that must come,
	// which stays unchanged until the next call; no request: the dialog is over.
	next func(dst []byte) (request, reply []byte)
	end  string // how every reply ends, and nothing before its end

	request, want []byte
	got           int           // bytes of want that have come
	other         []byte        // the whole reply up to now, once it is not the wanted one
	sent          time.Duration // when the request was, since the start
}

// maxOther bounds how many bytes of a wrong reply are held, beyond the length of the right one.
const maxOther = 1 << 20

var errEndless = errors.New("a reply that does not end")

// advance makes the next request and says whether there is one.
func (d *dialog) advance() bool {
	d.request, d.want = d.next(d.request[:0])
	d.got, d.other = 0, nil
	return len(d.request) > 0
}

// take takes bytes that came from the server, and says whether the reply is complete.
// d.wrong says whether it is the wanted one.
func (d *dialog) take(chunk []byte) (done bool, err error) {
	if d.other == nil && len(chunk) <= len(d.want)-d.got && bytes.Equal(chunk, d.want[d.got:d.got+len(chunk)]) {
		d.got += len(chunk)
		return d.got == len(d.want), nil
	}
	if d.other == nil {
		d.other = append(d.other, d.want[:d.got]...)
	}
	d.other = append(d.other, chunk...)
	if len(d.other) > len(d.want)+maxOther {
		return false, errEndless
	}
	return bytes.HasSuffix(d.other, []byte(d.end)), nil
}

// wrong says what is wrong with a complete reply; empty: nothing.
func (d *dialog) wrong() string {
	if d.other == nil {
		return ""
	}
	at := 0
	for at < min(len(d.other), len(d.want)) && d.other[at] == d.want[at] {
		at++
	}
	return fmt.Sprintf("request %.80q: the reply is %.80q at byte %d, want %.80q", d.request, d.other[at:], at, d.want[at:])
}

// finish counts a complete reply in t.
func (d *dialog) finish(t *tally, now time.Duration) {
	if why := d.wrong(); why != "" {
		t.refuse(why)
		return
	}
	t.acked++
	t.took(now - d.sent)
}

// talk drives each dialog over the connection of the same index, one goroutine each, and
// adds what was answered to t. When one fails, all do.
func talk(ctx context.Context, conns []net.Conn, dialogs []*dialog, timeout time.Duration, t *tally) error {
	start := time.Now()
	var mu sync.Mutex // guards t
	jobs := make([]func(context.Context) error, len(conns))
	for k, c := range conns {
		jobs[k] = func(context.Context) error { return talkOne(c, dialogs[k], timeout, start, &mu, t) }
	}
	return together(ctx, conns, jobs)
}

// talkOne drives one dialog; mu guards t.
func talkOne(c net.Conn, d *dialog, timeout time.Duration, start time.Time, mu *sync.Mutex, t *tally) error {
	buf := make([]byte, readSize)
	for d.advance() {
		d.sent = time.Since(start)
		if err := c.SetDeadline(time.Now().Add(timeout)); err != nil {
			return err
		}
		if _, err := c.Write(d.request); err != nil {
			return err
		}
		for done := false; !done; {
			n, err := c.Read(buf)
			if n == 0 && err != nil {
				return notEOF(err)
			}
			if done, err = d.take(buf[:n]); err != nil {
				return err
			}
		}
		mu.Lock()
		d.finish(t, time.Since(start))
		mu.Unlock()
	}
	return nil
}
