package lineserver

import (
	"metricd/internal/lineorder"
	"metricd/internal/lineproto"
	"metricd/internal/storage"
)

// requests carries out the whole lines of in and adds the replies to w.out. It returns how many
// bytes they were.
func (s *session) requests(w *work, in []byte) (used int) {
	rows := w.batch.Rows[:0]
	for used < len(in) && s.end == nil {
		line := in[used:]
		if expected, ref := s.order.Next(); len(expected) < len(line) && string(line[:len(expected)]) == string(expected) && !s.parser.Skipping() {
			value, time, n := s.parser.PutTail(line[len(expected):])
			if n += len(expected); n > len(expected) && n <= s.parser.MaxLine {
				if at := s.order.Step(); ref == 0 {
					w.learned = append(w.learned, lineorder.Learned{Row: len(rows), At: at})
				}
				rows = append(rows, storage.Row{Key: line[len(beforeKey) : len(expected)-1], T: time * 1000, V: value, Ref: ref})
				used += n
				if len(rows) == maxBatch {
					rows = s.puts(w, rows)
				}
				continue
			}
		}
		n := s.parser.Next(line, &w.req)
		if n == 0 {
			break
		}
		used += n
		switch w.req.Kind {
		case lineproto.Blank:
		case lineproto.Put:
			at, ref := s.order.Look(w.req.Key)
			if ref == 0 && at >= 0 {
				w.learned = append(w.learned, lineorder.Learned{Row: len(rows), At: at})
			}
			rows = append(rows, storage.Row{Key: w.req.Key, T: w.req.Time * 1000, V: w.req.Value, Ref: ref})
			s.spoken = true
			if len(rows) == maxBatch {
				rows = s.puts(w, rows)
			}
		default:
			rows = s.puts(w, rows)
			s.other(w, line[:n])
		}
	}
	w.batch.Rows = s.puts(w, rows)
	return used
}

// puts appends rows, adds their replies, which are held until the rows are durable, and returns rows emptied.
func (s *session) puts(w *work, rows []storage.Row) []storage.Row {
	if len(rows) == 0 {
		return rows
	}
	w.batch.Rows = rows
	s.srv.puts.Add(int64(len(rows)))
	s.did.puts.Add(int64(len(rows)))
	seq, err := s.app.Append(&w.batch)
	if err != nil {
		w.learned = w.learned[:0]
		s.srv.refused[reasonOf(err)].Add(int64(len(rows)))
		for range rows {
			s.addError(w, err)
		}
		return rows[:0]
	}
	for _, l := range w.learned {
		s.order.Learn(l.At, rows[l.Row].Ref)
	}
	w.learned = w.learned[:0]
	s.srv.countRefused(w.batch.Refused)
	next := 0
	for _, r := range w.batch.Refused {
		w.out.addOKs(r.Row-next, seq)
		s.addError(w, r.Err)
		next = r.Row + 1
	}
	w.out.addOKs(len(rows)-next, seq)
	return rows[:0]
}

func (s *session) addError(w *work, err error) {
	n := len(w.out.data)
	w.out.data = lineproto.AppendError(w.out.data, err.Error())
	w.out.addData(len(w.out.data) - n)
	if w.out.size() >= writeSize {
		s.send(w, true)
	}
}

// other carries out a request that is not a put.
func (s *session) other(w *work, line []byte) {
	first := !s.spoken
	s.spoken = true
	switch w.req.Kind {
	case lineproto.Get:
		s.get(w, string(w.req.Key))
	case lineproto.GetAll:
		s.get(w, "")
	default:
		s.srv.malformed.Add(1)
		w.out.addString(lineproto.WrongCommand)
		if first && lineproto.FromBrowser(line) {
			s.end = errHTTP
		}
		if w.out.size() >= writeSize {
			s.send(w, true)
		}
	}
}
