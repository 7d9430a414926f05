package bench

import (
	"net"
	"slices"
	"sync"
	"testing"

	"metricd/internal/lineproto"
)

// mapServer is a small server of the line protocol that keeps samples in a map, so that
// what is read back was really put. Its hooks make it a bad one.
type mapServer struct {
	addr string

	// reply, if not nil, may answer the put of sample n (counted from 1) itself and may change
	// it; no reply: the put goes on as usual.
	reply func(n int, req *lineproto.Request) []byte

	mu struct {
		sync.Mutex
		puts    int
		keys    []string
		samples map[string]map[int64]float64
	}
}

const maxServerSamples = 1 << 20

// serve starts s; it ends with the test.
func (s *mapServer) serve(t *testing.T) *mapServer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	s.mu.samples = map[string]map[int64]float64{}
	var sessions sync.WaitGroup
	var open sync.Map
	sessions.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			open.Store(c, nil)
			sessions.Go(func() {
				s.session(c)
				c.Close()
				open.Delete(c)
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		open.Range(func(c, _ any) bool { return c.(net.Conn).Close() == nil || true })
		sessions.Wait()
	})
	return s
}

func (s *mapServer) session(c net.Conn) {
	var parser lineproto.Parser
	var in, out []byte
	buf := make([]byte, 32<<10)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		in = append(in, buf[:n]...)
		out = out[:0]
		rest := in
		for {
			var req lineproto.Request
			n := parser.Next(rest, &req)
			if req.Kind == lineproto.Incomplete {
				break
			}
			rest = rest[n:]
			out = s.answer(out, &req)
		}
		in = append(in[:0], rest...)
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}

func (s *mapServer) answer(out []byte, req *lineproto.Request) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch req.Kind {
	case lineproto.Put:
		return append(out, s.putLocked(req)...)
	case lineproto.Get:
		return s.rowsLocked(out, string(req.Key))
	case lineproto.GetAll:
		return s.rowsLocked(out, s.mu.keys...)
	}
	return append(out, lineproto.WrongCommand...)
}

func (s *mapServer) putLocked(req *lineproto.Request) []byte {
	s.mu.puts++
	if s.reply != nil {
		if reply := s.reply(s.mu.puts, req); reply != nil {
			return reply
		}
	}
	if s.mu.puts > maxServerSamples {
		return lineproto.AppendError(nil, "too many samples")
	}
	key := string(req.Key)
	if s.mu.samples[key] == nil {
		s.mu.samples[key] = map[int64]float64{}
		s.mu.keys = append(s.mu.keys, key)
	}
	s.mu.samples[key][req.Time] = req.Value
	return []byte(lineproto.OK)
}

func (s *mapServer) rowsLocked(out []byte, keys ...string) []byte {
	out = append(out, lineproto.GetHead...)
	for _, key := range keys {
		times := make([]int64, 0, len(s.mu.samples[key]))
		for t := range s.mu.samples[key] {
			times = append(times, t)
		}
		slices.Sort(times)
		for _, t := range times {
			out = lineproto.AppendRow(out, key, s.mu.samples[key][t], t)
		}
	}
	return append(out, lineproto.GetTail...)
}

// state returns the keys in order of their first put, and how many samples there are.
func (s *mapServer) state() (keys []string, samples int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range s.mu.samples {
		samples += len(of)
	}
	return slices.Clone(s.mu.keys), samples
}
