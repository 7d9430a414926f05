package influx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"metricd/internal/storage"
)

// request is the writing of one body.
type request struct {
	h    *Handler
	w    *work
	unit unit
	app  storage.Appender
	seq  storage.Seq // of what was appended

	lines, samples, strings int64 // see Stats
	dropped                 int64 // lines that were not stored, or not wholly
	first                   struct {
		line int64
		err  error // why the first of them was not
	}
	refusedLine int64 // the last one of which the store refused a row
	gone        error // the store takes nothing
}

// run stores all entries. Its error is why the body did not come to its end.
func (q *request) run() error {
	w := q.w
	for q.gone == nil {
		entry, line, err := w.entries.next()
		switch {
		case errors.Is(err, errLong):
			q.lines++
			q.drop(line, err)
			continue
		case err != nil:
			q.flush()
			if err == io.EOF {
				return nil
			}
			return err
		}
		if len(entry) == 0 { // the decoder takes its time to find that out
			continue
		}
		if len(entry) > shortEntry {
			q.takeLong(entry, line)
		} else {
			q.take(entry, line)
		}
	}
	return nil
}

// takeLong is take for an entry that is long: in turn, and what it needed is not kept.
func (q *request) takeLong(entry []byte, line int64) {
	q.h.long.Lock()
	defer q.h.long.Unlock()
	q.take(entry, line)
	q.w.point = point{}
}

// take decodes an entry, and adds its rows to the batch.
func (q *request) take(entry []byte, line int64) {
	w := q.w
	err := w.point.decode(entry, q.h.cfg.MaxKey)
	if err == errNoLine {
		return
	}
	q.lines++
	if err == nil {
		err = q.add(&w.point, line)
	} else if misread(entry, err) {
		w.entries.again(entry)
	}
	if err != nil {
		q.drop(line, err)
	}
}

// count adds what was done to the counters of the Handler.
func (q *request) count() {
	h := q.h
	h.bytes.Add(q.w.entries.read)
	h.lines.Add(q.lines)
	h.dropped.Add(q.dropped)
	h.samples.Add(q.samples)
	h.strings.Add(q.strings)
}

// misread says whether an entry of several lines, in which there was err, may be several entries, the first of them with a quote that is not
// closed. An entry that is wrong in front of its strings is not, nor is one that only holds bytes that are not UTF-8: what somebody else wrote into a
// string of an agent that quotes correctly must not become samples.
func misread(entry []byte, err error) bool {
	return !errors.As(err, new(headError)) && bytes.IndexByte(entry, '\n') >= 0 && utf8.Valid(entry)
}

// add adds the rows of a point to the batch.
func (q *request) add(p *point, line int64) error {
	w := q.w
	ms := int64(0)
	if !p.timed {
		ms = q.h.cfg.Now().UnixMilli()
	} else if t, err := q.unit.millis(p.time); err != nil {
		return err
	} else {
		ms = t
	}
	q.strings += int64(p.strings)
	if len(p.fields) == 0 {
		return nil
	}
	h, err := w.heads.of(p)
	if err != nil {
		return err
	}
	for _, f := range p.fields {
		row := storage.Row{T: ms, V: f.value}
		row.Key, row.Ref = q.key(p, h, p.names[f.start:f.end])
		w.batch.Rows = append(w.batch.Rows, row)
		w.lines = append(w.lines, line)
		w.spelled += len(row.Key)
		if len(w.batch.Rows) == maxBatch || w.spelled >= maxSpelled {
			q.flush()
		}
	}
	return nil
}

// key returns the key of a field of p, whose head is h, for the next row of the batch, and what the store calls its series, if that is known. A key
// that is too long is nil, which the store refuses; see refuse.
func (q *request) key(p *point, h *head, name []byte) ([]byte, storage.Ref) {
	w, most := q.w, q.h.cfg.MaxKey
	if p.shortest(name) > most {
		return nil, 0
	}
	if at := w.heads.known(h, name); at >= 0 {
		k := &h.fields[at]
		if len(k.key) > most {
			return nil, 0
		}
		if k.ref == 0 {
			w.learned = append(w.learned, learned{len(w.batch.Rows), h, at})
		}
		return k.key, k.ref
	}
	start := len(w.keys)
	w.keys = h.spell(w.keys, name)
	key := w.keys[start:]
	if len(key) > most {
		w.keys = w.keys[:start]
		return nil, 0
	}
	return key, 0
}

// flush appends the batch.
func (q *request) flush() {
	w := q.w
	rows := w.batch.Rows
	if len(rows) > 0 && q.gone == nil {
		seq, err := q.app.Append(&w.batch)
		if err != nil {
			q.gone = err
		} else {
			q.seq = seq
			q.samples += int64(len(rows) - len(w.batch.Refused))
			for _, l := range w.learned {
				l.head.fields[l.at].ref = rows[l.row].Ref
			}
			for _, r := range w.batch.Refused {
				q.refuse(w.lines[r.Row], &rows[r.Row], r.Err)
			}
		}
	}
	w.reset()
}

// refuse is told that the store refused a row.
func (q *request) refuse(line int64, row *storage.Row, err error) {
	if errors.Is(err, storage.ErrReadOnly) {
		q.gone = err
		return
	}
	if len(row.Key) == 0 {
		err = fmt.Errorf("its key would be longer than %d bytes", q.h.cfg.MaxKey)
	}
	if line != q.refusedLine {
		q.refusedLine = line
		q.drop(line, err)
	}
}

// drop counts a line that is not stored, or not wholly.
func (q *request) drop(line int64, err error) {
	q.dropped++
	if q.first.err == nil || line < q.first.line {
		q.first.line, q.first.err = line, err
	}
}
