package dump

import (
	"io"
	"math"
	"strings"

	"metricd/internal/lineproto"
	"metricd/internal/storage"
)

// writeSize is how many bytes are written at once where there are so many.
const writeSize = 128 << 10

// Writer writes series to an io.Writer. NewWriter makes one; not for concurrent use.
type Writer struct {
	w      io.Writer
	format Format
	buf    []byte
	prefix []byte // of each line of the series at hand
	times  lineproto.TimePrinter

	series, samples int64
	loss            Loss
}

// NewWriter returns a Writer in a format. It writes when it has 128 KiB, and when it is told to Flush.
func NewWriter(w io.Writer, f Format) *Writer {
	d := &Writer{w: w, format: f, buf: make([]byte, 0, writeSize+8<<10)}
	if f == CSV {
		d.buf = append(d.buf, Header+"\n"...)
	}
	return d
}

// Series writes the samples of it, which have not begun, as those of key. The error is that of it, or of writing.
func (d *Writer) Series(key string, it storage.Iterator) error {
	d.series++
	if d.format == CSV {
		return d.csvSeries(key, it)
	}
	return d.putSeries(key, it)
}

// Flush writes what is not written yet.
func (d *Writer) Flush() error {
	if len(d.buf) == 0 {
		return nil
	}
	_, err := d.w.Write(d.buf)
	d.buf = d.buf[:0]
	return err
}

// Counts returns how many series and lines of samples were written, Flush or not, and what they lack.
func (d *Writer) Counts() (series, samples int64, loss Loss) { return d.series, d.samples, d.loss }

func (d *Writer) csvSeries(key string, it storage.Iterator) error {
	d.prefix = append(appendField(d.prefix[:0], key), ',')
	for it.Next() {
		t, v := it.At()
		buf := append(d.buf, d.prefix...)
		buf = append(d.times.Append(buf, t), ',')
		if v == v {
			buf = it.AppendValue(buf)
		} else {
			buf = appendNaN(buf, v)
		}
		d.buf = append(buf, '\n')
		d.samples++
		if len(d.buf) >= writeSize {
			if err := d.Flush(); err != nil {
				return err
			}
		}
	}
	return it.Err()
}

// appendField appends a key, quoted where that is needed.
func appendField(dst []byte, key string) []byte {
	if !strings.ContainsAny(key, `",`) {
		return append(dst, key...)
	}
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(key, `"`, `""`)...)
	return append(dst, '"')
}

// appendNaN appends the text of a NaN.
func appendNaN(dst []byte, v float64) []byte {
	const digits = "0123456789abcdef"
	bits := math.Float64bits(v)
	switch bits {
	case plainBits:
		return append(dst, "nan"...)
	case storage.StaleNaN:
		return append(dst, staleName...)
	}
	dst = append(dst, nanPrefix...)
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, digits[bits>>shift&15])
	}
	return dst
}

// putSeries writes one line a second, which it keeps back until the next second begins.
func (d *Writer) putSeries(key string, it storage.Iterator) error {
	d.prefix = append(append(append(d.prefix[:0], "put "...), key...), ' ')
	row := len(d.buf)         // where the line that is kept back begins
	var second int64          // of that line
	var have, whole, nan bool // whether there is one; whether it is of the whole second, and an odd NaN
	settle := func() {
		if have {
			d.samples++
			d.loss.Cut += count(!whole)
			d.loss.NaN += count(nan)
		}
	}
	for it.Next() {
		t, v := it.At()
		if isStale(v) {
			d.loss.Stale++
			continue
		}
		sec := floorSecond(t)
		if have && sec == second {
			d.loss.Collapsed++
			if whole {
				continue
			}
			d.buf = d.buf[:row]
		} else {
			settle()
			if len(d.buf) >= writeSize {
				if err := d.Flush(); err != nil {
					return err
				}
			}
		}
		have, whole, second = true, t == sec*1000, sec
		nan = v != v && math.Float64bits(v) != plainBits
		row = len(d.buf)
		buf := it.AppendValue(append(d.buf, d.prefix...))
		buf = d.times.Append(append(buf, ' '), sec)
		d.buf = append(buf, '\n')
	}
	settle()
	return it.Err()
}

// floorSecond returns the second that the millisecond t is in.
func floorSecond(t int64) int64 {
	sec := t / 1000
	if sec*1000 > t { // division rounds towards zero
		sec--
	}
	return sec
}

func count(is bool) int64 {
	if is {
		return 1
	}
	return 0
}
