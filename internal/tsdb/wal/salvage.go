package wal

import (
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Damage is a part of a file that can't be read, or is not there.
type Damage struct {
	File          string
	Offset, Bytes int64 // where it begins, and how long it is as far as that is known
	Reason        string
}

// String says what is lost where, in one line.
func (d Damage) String() string {
	return fmt.Sprintf("%s: %d bytes at byte %d: %s", d.File, d.Bytes, d.Offset, d.Reason)
}

// Salvage hands over every record that can be read, sequences ascending, however damaged the log
// is, and returns what can't be read, in order. A segment of another log is left out. Of Recovery it fills in Segments, Last, Records and
// Bytes. Options and the record are as for Replay; nothing is changed on disk. An error is one of
// listing the directory, or of each.
//
// A record behind damage may build on one that is lost: the caller has to know what it can do with those.
func Salvage(o Options, each func(seq uint64, record []byte) error) (Recovery, []Damage, error) {
	o = o.withDefaults()
	s := salvager{directory: o.directory(), each: each}
	numbers, foreign, err := s.list()
	if err != nil {
		return Recovery{}, nil, err
	}
	for _, f := range foreign {
		s.lost(f.File, 0, 0, f.Reason)
	}
	sources := make([]*source, len(numbers))
	for i, number := range numbers {
		if sources[i], err = s.load(number); err != nil {
			sources[i] = &source{path: s.path(number), number: number, err: err}
		}
	}
	for i, src := range sources {
		var next *source
		if i+1 < len(sources) {
			next = sources[i+1]
		}
		if err := s.segment(src, next); err != nil {
			return s.rec, s.damages, err
		}
	}
	return s.rec, s.damages, nil
}

// salvager reads what can be read.
type salvager struct {
	directory
	each    func(seq uint64, record []byte) error
	rec     Recovery
	damages []Damage
	gap     bool // there was damage since the last record: what comes need not follow it
}

func (s *salvager) lost(file string, off, n int64, reason string) {
	s.damages = append(s.damages, Damage{file, off, n, reason})
	s.gap = true
}

// segment reads src; next is the one behind it, or nil.
func (s *salvager) segment(src, next *source) error {
	if errors.Is(src.err, errOtherLog) {
		s.lost(src.path, 0, src.size, src.err.Error())
		return nil
	}
	if src.err != nil {
		s.lost(src.path, 0, min(src.size, headerLen), src.err.Error())
	} else if len(s.rec.Segments) == 0 && !s.gap {
		s.rec.Last = src.head.base
	}
	file, err := s.fs.Open(src.path, vfs.SequentialReadsOption)
	if err != nil {
		s.lost(src.path, 0, src.size, err.Error())
		return nil
	}
	limit := int64(-1)
	if next != nil && next.err == nil && next.number == src.number+1 {
		limit = next.head.prev
	}
	base := s.rec.Last
	if err := s.read(src, file, limit); err != nil {
		return errors.Join(err, file.Close())
	}
	s.rec.Segments = append(s.rec.Segments, Segment{Number: src.number, Path: src.path, Base: base, Last: s.rec.Last, Bytes: src.size})
	if next != nil && next.number != src.number+1 {
		s.lost(s.path(src.number+1), 0, 0, "the file is missing")
	}
	return file.Close()
}

// read hands over the records of src, which is valid up to limit, or, if that is -1, as far as it goes.
func (s *salvager) read(src *source, file io.ReaderAt, limit int64) error {
	size := src.size
	if limit >= 0 {
		if size = min(size, limit); size < limit {
			defer s.lost(src.path, size, limit-size, "the file is too short")
		}
	}
	c := newChunkReader(file, size, src.number)
	for {
		start, rec, err := c.next()
		if err != nil {
			if !s.skipDamage(src, c, err, size) {
				return nil
			}
			continue
		}
		if err := s.record(src, start, c.off-start, rec); err != nil {
			return err
		}
	}
}

// skipDamage goes on behind what c can't read because of err; false: there is nothing more.
func (s *salvager) skipDamage(src *source, c *chunkReader, err error, size int64) bool {
	start, from, reason := c.off, c.off+1, err.Error()
	var stop *stopError
	if errors.As(err, &stop) {
		if start >= size {
			return false
		}
		reason = stop.reason
	} else {
		from = blockAt(start) + blockSize
	}
	for {
		err := c.resync(from)
		if err == nil || errors.Is(err, io.EOF) {
			if stop == nil || !stop.clean || err == nil {
				s.lost(src.path, start, min(c.off, size)-start, reason)
			}
			return err == nil
		}
		from = blockAt(from) + blockSize // a block that can't be read
	}
}

// record hands over one record, if it is one and new.
func (s *salvager) record(src *source, start, n int64, rec []byte) error {
	p, payload, ok := parsePrefix(rec)
	if ok && p.promise > start { // whoever wrote that was wrong; what it carries may be right
		s.lost(src.path, start, 0, "the record promises what is behind it")
	}
	switch {
	case !ok:
		s.lost(src.path, start, n, "the record has no valid beginning")
		return nil
	case p.delta == 0:
		return nil
	case p.seq <= s.rec.Last && s.rec.Records > 0:
		s.lost(src.path, start, n, fmt.Sprintf("sequence %d comes after %d", p.seq, s.rec.Last))
		return nil
	case p.seq != s.rec.Last+p.delta && !s.gap:
		s.lost(src.path, start, 0, fmt.Sprintf("what was between sequence %d and %d is not there", s.rec.Last, p.seq))
	}
	s.gap = false
	if err := s.each(p.seq, payload); err != nil {
		return err
	}
	s.rec.Last = p.seq
	s.rec.Records++
	s.rec.Bytes += int64(len(payload))
	return nil
}
