package lineserver

import (
	"math"
	"runtime"
	"time"

	"metricd/internal/lineproto"
	"metricd/internal/storage"
)

// get adds the reply to `get key`, or with an empty key to `get *`. Rows go out whenever
// there are enough of them for a write.
func (s *session) get(w *work, key string) {
	s.srv.gets.Add(1)
	s.did.gets.Add(1)
	if tell := s.srv.cfg.OnGet; tell != nil {
		begun := time.Now()
		defer func() { tell(time.Since(begun)) }()
	}
	g := getter{s: s, w: w, start: len(w.out.data)}
	w.out.addString(lineproto.GetHead)
	err := g.all(key)
	if err == nil {
		w.out.addString(lineproto.GetTail)
		return
	}
	if s.broken { // the client went away
		return
	}
	s.srv.refused[reasonOf(err)].Add(1)
	if g.begun { // a reply without its last line is known to be incomplete
		s.srv.log.Error("get ended in the middle of its reply; the connection was closed", "client", s.conn.RemoteAddr().String(), "err", err)
		s.end = err
		return
	}
	w.out.cut(len(w.out.data) - g.start)
	s.addError(w, err)
}

// getter makes one reply.
type getter struct {
	s     *session
	w     *work
	start int  // where the reply begins in out.data, unless begun
	begun bool // a part of the reply has left out
}

// all adds the rows of the series that key names.
func (g *getter) all(key string) error {
	ctx := g.s.ctx
	set := g.s.srv.cfg.Store.Select(ctx, storage.Query{Key: key, Mint: storage.MinTime, Maxt: storage.MaxTime})
	defer set.Close()
	for set.Next() {
		series := set.At()
		name := key
		if name == "" {
			name = series.Key()
		}
		g.w.it = series.Iterator(g.w.it)
		if err := g.series(name, g.w.it); err != nil {
			return err
		}
	}
	return set.Err()
}

// series adds the rows of one series: one a second, of the sample at the whole second where there is
// one, else of the last in that second. Staleness markers are for PromQL, and left out.
func (g *getter) series(key string, it storage.Iterator) error {
	out := &g.w.out
	data := out.data
	counted := len(data) // bytes of data that out knows of
	row := counted       // where the last row begins
	var second int64     // of the last row
	var have, whole bool // whether there is a last row; whether it is of the whole second
	g.w.prefix = append(append(g.w.prefix[:0], key...), ' ')
	prefix := g.w.prefix
	for it.Next() {
		t, v := it.At()
		if v != v && math.Float64bits(v) == storage.StaleNaN {
			continue
		}
		sec := t / 1000
		if sec*1000 > t { // division rounds towards zero
			sec--
		}
		if have && sec == second {
			if whole {
				continue
			}
			data = data[:row]
		} else if len(data) >= writeSize {
			out.data = data
			out.addData(len(data) - counted)
			if err := g.flush(); err != nil {
				return err
			}
			data = out.data
			counted = len(data)
		}
		have, whole, second = true, t == sec*1000, sec
		row = len(data)
		data = append(data, prefix...)
		data = it.AppendValue(data)
		data = append(data, ' ')
		data = g.w.times.Append(data, sec)
		data = append(data, '\n')
	}
	out.data = data
	out.addData(len(data) - counted)
	return it.Err()
}

// flush sends what there is and lets others work.
func (g *getter) flush() error {
	g.begun = true
	g.s.send(g.w, true)
	if g.s.end == nil {
		g.s.settle(maxAhead)
	}
	runtime.Gosched()
	return g.s.end
}
