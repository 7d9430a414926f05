package lineserver

import (
	"cmp"
	"slices"
	"sync/atomic"
)

// BusyConn is an open connection, and what it did in a while.
type BusyConn struct {
	Client string // its address
	Puts   int64  // answered, refused ones included
	Gets   int64  // answered, or begun to be

	Received, Sent int64 // bytes
}

// counts are what one connection did since it was accepted. The session writes, at most once for each batch, read or write; anybody may read.
type counts struct{ puts, gets, received, sent atomic.Int64 }

// doing is a copy of counts at one time.
type doing struct{ puts, gets, received, sent int64 }

func (c *counts) now() doing {
	return doing{c.puts.Load(), c.gets.Load(), c.received.Load(), c.sent.Load()}
}

// Watch begins to watch what connections do. end returns those that are open then and got most, by puts and gets, then by bytes; the busiest first, and
// at most so many; idle ones are left out. Connections pay nothing for being watched, so nothing has to be ended.
func (s *Server) Watch() (end func(most int) []BusyConn) {
	begun := map[*session]doing{}
	s.each(func(c *session) { begun[c] = c.did.now() })
	return func(most int) []BusyConn {
		var busy []BusyConn
		s.each(func(c *session) {
			was, is := begun[c], c.did.now() // of one that is new, nothing was
			b := BusyConn{Puts: is.puts - was.puts, Gets: is.gets - was.gets, Received: is.received - was.received, Sent: is.sent - was.sent}
			if b != (BusyConn{}) {
				b.Client = c.conn.RemoteAddr().String()
				busy = append(busy, b)
			}
		})
		slices.SortFunc(busy, func(a, b BusyConn) int {
			return cmp.Or(cmp.Compare(b.Puts+b.Gets, a.Puts+a.Gets), cmp.Compare(b.Received+b.Sent, a.Received+a.Sent), cmp.Compare(a.Client, b.Client))
		})
		return busy[:min(most, len(busy))]
	}
}
