package dump

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"metricd/internal/lineproto"
	"metricd/internal/storage"
)

// batchRows is how many rows a Batch has at most.
const batchRows = 1024

// readSize is the size of the buffer that lines are read into, unless a line may be longer.
const readSize = 256 << 10

// Limits bound what is read; zero values stand for those of the line protocol.
type Limits struct {
	MaxLine int // bytes of a line without its end
	MaxKey  int // bytes of a key
}

// BadLine is a line that is no sample.
type BadLine struct {
	Number int64  // from 1
	Text   string // its beginning
	Err    error  // what is wrong
}

// Batch is what Reader.Next fills: rows, in the order of their lines, to be given to an Appender before the next
// call. Their keys refer to the Reader's memory.
type Batch struct {
	storage.Batch
	Bad []BadLine // the lines among them that are no samples, ascending

	lines []place // of the rows
}

// place is where a line is.
type place struct {
	number     int64
	start, end int // in Reader.buf
}

// Reader reads the samples of a dump. NewReader makes one; not for concurrent use.
type Reader struct {
	r      io.Reader
	parse  func(r *Reader, line []byte, row *storage.Row) error
	limits Limits

	buf        []byte
	start, end int // of what is read and not yet parsed
	number     int64
	skipping   bool  // the rest of a line that was too long is being dropped
	err        error // of r, once all before it is parsed

	parser lineproto.Parser
	headed bool   // CSV: the header was there
	prefix []byte // CSV: the key of the row before, as it is spelled, and the comma
	keys   []byte // CSV: keys of this batch that were quoted
	key    []byte // of the row before
	held   []byte // memory for key from one batch to the next
	ref    storage.Ref
}

// NewReader returns a Reader of r.
func NewReader(r io.Reader, f Format, limits Limits) *Reader {
	if limits.MaxLine <= 0 {
		limits.MaxLine = lineproto.DefaultMaxLine
	}
	if limits.MaxKey <= 0 {
		limits.MaxKey = lineproto.DefaultMaxKey
	}
	d := &Reader{r: r, limits: limits, parse: (*Reader).parsePut}
	d.parser = lineproto.Parser{MaxLine: limits.MaxLine, MaxKey: limits.MaxKey}
	d.buf = make([]byte, max(readSize, limits.MaxLine+2))
	if f == CSV {
		d.parse = (*Reader).parseCSV
	}
	return d
}

// Lines returns how many lines were read, those of the last Batch included.
func (d *Reader) Lines() int64 { return d.number }

// Excerpt returns the number and the beginning of the line of a row of the last Batch.
func (d *Reader) Excerpt(b *Batch, row int) (number int64, text string) {
	p := b.lines[row]
	return p.number, excerpt(d.buf[p.start:p.end])
}

// Next reads the next lines into b. It returns io.EOF when there are none left, and the error of the underlying
// reader when all before it was returned. ErrHeader is final, too.
func (d *Reader) Next(b *Batch) error {
	d.ref = 0
	if n := len(b.Rows); n > 0 {
		d.ref = b.Rows[n-1].Ref
	}
	d.held = append(d.held[:0], d.key...) // the memory of key is about to change
	d.key = d.held
	b.Rows, b.lines, b.Bad = b.Rows[:0], b.lines[:0], b.Bad[:0]
	d.keys = d.keys[:0]
	for len(b.Rows) < batchRows && len(b.Bad) < batchRows {
		ok, err := d.line(b)
		empty := len(b.Rows)+len(b.Bad) == 0
		switch {
		case err != nil:
			return err
		case ok:
		case d.err != nil && empty && !d.last(b):
			return d.err
		case d.err != nil || !empty && d.end == len(d.buf):
			return nil
		default:
			d.fill(empty)
		}
	}
	return nil
}

// fill reads more behind what is not parsed yet. If move is not set, what is in the buffer stays where it is, and there is room
// behind it.
func (d *Reader) fill(move bool) {
	if move {
		copy(d.buf, d.buf[d.start:d.end])
		d.start, d.end = 0, d.end-d.start
	}
	const patience = 100 // reads of nothing, as bufio has it
	for range patience {
		n, err := d.r.Read(d.buf[d.end:])
		d.end += n
		if n > 0 || err != nil {
			d.err = err
			return
		}
	}
	d.err = io.ErrNoProgress
}

// line parses the next line. It returns false if there is no whole one.
func (d *Reader) line(b *Batch) (ok bool, err error) {
	rest := d.buf[d.start:d.end]
	i := bytes.IndexByte(rest, '\n')
	switch {
	case i < 0 && d.skipping:
		d.start = d.end
		return false, nil
	case i < 0 && len(rest) > d.limits.MaxLine+1: // with a \r
		d.skipping = true
		d.number++
		d.bad(b, rest, d.tooLong())
		d.start = d.end
		return true, nil
	case i < 0:
		return false, nil
	}
	line := rest[:i+1]
	start := d.start
	d.start += i + 1
	if d.skipping {
		d.skipping = false
		return true, nil
	}
	d.number++
	n := len(b.Rows)
	b.Rows = append(b.Rows, storage.Row{})
	switch err := d.parse(d, line, &b.Rows[n]); {
	case err == nil:
		b.lines = append(b.lines, place{d.number, start, d.start})
	case errors.Is(err, errNoSample):
		b.Rows = b.Rows[:n]
	case errors.Is(err, ErrHeader):
		b.Rows = b.Rows[:n]
		return false, err
	default:
		b.Rows = b.Rows[:n]
		d.bad(b, line, err)
	}
	return true, nil
}

// last reports what is behind the last line end, and says whether there was something. The input has ended.
func (d *Reader) last(b *Batch) bool {
	rest := d.buf[d.start:d.end]
	d.start = d.end
	if d.skipping || d.err != io.EOF || len(bytes.TrimSpace(rest)) == 0 {
		return false
	}
	d.number++
	d.bad(b, rest, errUnfinished)
	return true
}

func (d *Reader) bad(b *Batch, line []byte, err error) {
	b.Bad = append(b.Bad, BadLine{d.number, excerpt(line), err})
}

func (d *Reader) tooLong() error {
	return fmt.Errorf("it is longer than %d bytes (--max-line)", d.limits.MaxLine)
}

// errNoSample: the line holds nothing, and that is no error.
var errNoSample = errors.New("no sample")

// ErrHeader: CSV has to begin with its header. It comes wrapped, with the line that is there instead.
var ErrHeader = errors.New("want the header " + Header + ", with whole milliseconds since 1970")

var (
	errUnfinished = errors.New("it has no line end, so it may be cut short")
	errNotPut     = errors.New("want put KEY VALUE SECONDS")
)

// excerpt returns line without its end, cut if it is long.
func excerpt(line []byte) string {
	const most = 200
	line = bytes.TrimRight(line, "\r\n")
	if len(line) > most {
		return string(line[:most]) + "…"
	}
	return string(line)
}

// parsePut reads a put line, with its end.
func (d *Reader) parsePut(line []byte, row *storage.Row) error {
	if len(line)-1 > d.limits.MaxLine {
		return d.tooLong()
	}
	var req lineproto.Request
	d.parser.Next(line, &req)
	switch req.Kind {
	case lineproto.Blank:
		return errNoSample
	case lineproto.Put:
		d.setKey(row, req.Key)
		row.T, row.V = req.Time*1000, req.Value
		return nil
	}
	return errNotPut
}

// setKey gives row its key, and the Ref of the row before if that had the same.
func (d *Reader) setKey(row *storage.Row, key []byte) {
	if !bytes.Equal(key, d.key) {
		d.key, d.ref = key, 0
	}
	row.Key, row.Ref = d.key, d.ref
}
