package wal

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Segment describes one segment file. All its records are in (Base, Last].
type Segment struct {
	Number     uint64
	Path       string
	Base, Last uint64
	Bytes      int64 // its size, what is torn off at its end included
}

// Recovery says what a replay found.
type Recovery struct {
	// Segments that hold records or may, oldest first.
	Segments []Segment
	// All records in (Base, Last] that were ever appended, and not removed with Remove, were handed
	// over. Both are Options.Start if there is no segment.
	Base, Last uint64
	// Records and Bytes handed over.
	Records, Bytes int64
	// Clean: the last segment was closed, by Close or since it was full.
	Clean bool
	// Torn is nil, or what the crash of a writer left at the end of the last segment and replay
	// dropped: it was never durable.
	Torn *Damage
}

// directory is where segments are.
type directory struct {
	fs  vfs.FS
	dir string
	id  uint64 // of the log; 0: not known
}

func (o Options) directory() directory { return directory{o.FS, o.Dir, o.ID} }

var errOtherLog = errors.New("it belongs to another log")

func (d directory) path(number uint64) string { return d.fs.PathJoin(d.dir, segmentName(number)) }

// list returns the numbers of the segment files, ascending, and for the files that only look
// like one an error each.
func (d directory) list() (numbers []uint64, foreign []*CorruptError, err error) {
	names, err := d.fs.List(d.dir)
	if err != nil {
		return nil, nil, fmt.Errorf("log: %w", err)
	}
	slices.Sort(names)
	for _, name := range names {
		number, segment, err := parseName(name)
		if err != nil {
			foreign = append(foreign, &CorruptError{File: d.fs.PathJoin(d.dir, name), Reason: err.Error()})
		} else if segment {
			numbers = append(numbers, number)
		}
	}
	return numbers, foreign, nil
}

// source is a segment file to be read.
type source struct {
	path   string
	number uint64 // in its name
	size   int64
	head   header
	err    error // of parseHeader; head is then zero
}

// load reads the header of a segment file.
func (d directory) load(number uint64) (s *source, err error) {
	s = &source{path: d.path(number), number: number}
	file, err := d.fs.Open(s.path)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("log: %s: %w", s.path, err)
	}
	s.size = info.Size()
	b := make([]byte, min(headerLen, s.size))
	if n, err := file.ReadAt(b, 0); n < len(b) {
		return nil, fmt.Errorf("log: %s at byte %d: %w", s.path, n, err)
	}
	if s.head, s.err = parseHeader(b, s.size); s.err == nil && s.head.number != number {
		s.err = fmt.Errorf("it was written as segment %d", s.head.number)
	}
	if s.err == nil && d.id != 0 && s.head.id != d.id {
		s.err = fmt.Errorf("%w (%016x, this one is %016x)", errOtherLog, s.head.id, d.id)
	}
	return s, nil
}

func (s *source) corrupt(off int64, format string, args ...any) error {
	return &CorruptError{File: s.path, Offset: off, Reason: fmt.Sprintf(format, args...)}
}

// replayer reads the segments of a directory in order.
type replayer struct {
	directory
	each func(seq uint64, record []byte) error
	rec  Recovery
	next uint64 // number of the segment to write next
	end  int64  // how far the last segment is valid; 0: there is none
}

// run replays all segments.
func (r *replayer) run(start uint64) error {
	r.rec = Recovery{Base: start, Last: start, Clean: true}
	sources, err := r.chain()
	if err != nil {
		return err
	}
	for i, s := range sources {
		limit := int64(-1)
		if i == 0 {
			r.rec.Base, r.rec.Last = s.head.base, s.head.base
		}
		if s.head.base != r.rec.Last {
			return s.corrupt(0, "it follows sequence %d, but the segment before ends at %d", s.head.base, r.rec.Last)
		}
		if i+1 < len(sources) {
			limit = sources[i+1].head.prev
		}
		if err := r.read(s, limit); err != nil {
			return err
		}
	}
	return nil
}

// chain returns the segments in order, if one follows the other. An unfinished one at the end is
// left out: the crash came before its header was synced, and nothing is in it.
func (r *replayer) chain() ([]*source, error) {
	numbers, foreign, err := r.list()
	if err != nil {
		return nil, err
	}
	if len(foreign) > 0 {
		return nil, foreign[0]
	}
	var sources []*source
	r.next = 1
	for i, number := range numbers {
		s, err := r.load(number)
		if err != nil {
			return nil, err
		}
		if i > 0 && number != r.next {
			return nil, &CorruptError{File: r.path(r.next), Reason: fmt.Sprintf("the file is missing, %s is there", s.path)}
		}
		r.next = number + 1
		if i == len(numbers)-1 && errors.Is(s.err, errTornHeader) {
			r.next, r.rec.Clean = number, false
			r.rec.Torn = &Damage{File: s.path, Bytes: s.size, Reason: s.err.Error()}
			break
		}
		if s.err != nil {
			return nil, s.corrupt(0, "%v", s.err)
		}
		r.id = s.head.id
		sources = append(sources, s)
	}
	return sources, nil
}

// read hands over the records of s. It has to be valid up to limit and nothing behind is looked at;
// if limit is -1, s is the last segment and may be torn.
func (r *replayer) read(s *source, limit int64) (err error) {
	file, err := r.fs.Open(s.path, vfs.SequentialReadsOption)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	size := s.size
	if limit >= 0 {
		if size < limit {
			return s.corrupt(size, "the file ends here, it should be valid up to byte %d", limit)
		}
		size = limit
	}
	c := newChunkReader(file, size, s.head.number)
	for {
		start, rec, err := c.next()
		var stop *stopError
		switch {
		case errors.As(err, &stop):
			return r.stopped(s, c, stop, limit)
		case err != nil:
			return fmt.Errorf("log: %s: %w", s.path, err)
		}
		p, payload, ok := parsePrefix(rec)
		switch {
		case !ok:
			return s.corrupt(start, "the record has no valid beginning")
		case p.promise > start:
			return s.corrupt(start, "the record promises what is behind it")
		case p.delta == 0:
			continue
		case p.seq != r.rec.Last+p.delta:
			return s.corrupt(start, "sequence %d should follow %d, but it follows %d", p.seq, p.seq-p.delta, r.rec.Last)
		}
		if err := r.each(p.seq, payload); err != nil {
			return err
		}
		r.rec.Last = p.seq
		r.rec.Records++
		r.rec.Bytes += int64(len(payload))
	}
}

// stopped judges the end of the chunks of s, and takes note of it if it is a legal one.
func (r *replayer) stopped(s *source, c *chunkReader, stop *stopError, limit int64) error {
	r.end = stop.off
	r.rec.Segments = append(r.rec.Segments, Segment{Number: s.head.number, Path: s.path, Base: s.head.base, Last: r.rec.Last, Bytes: s.size})
	if limit >= 0 {
		if stop.off != limit {
			return s.corrupt(stop.off, "%s, but the segment should be valid up to byte %d", stop.reason, limit)
		}
		return nil
	}
	found, err := c.promiseBehind(stop.off)
	switch {
	case err != nil:
		return fmt.Errorf("log: %s: %w", s.path, err)
	case found > 0:
		return s.corrupt(stop.off, "%s, but a record at byte %d says that this place was synced", stop.reason, found)
	}
	r.rec.Clean = r.rec.Clean && stop.clean
	if rest := s.size - stop.off; rest > 0 && !stop.clean {
		r.rec.Torn = &Damage{File: s.path, Offset: stop.off, Bytes: rest, Reason: stop.reason}
	}
	return nil
}

// Replay hands each record of the log to each, in order, and changes nothing on disk; Options.Dir
// has to exist. Of the options it uses FS, Dir and Start. The record is valid until each returns;
// its error ends the replay and is returned. A log that is not as it was written is a
// *CorruptError.
func Replay(o Options, each func(seq uint64, record []byte) error) (Recovery, error) {
	o = o.withDefaults()
	r := replayer{directory: o.directory(), each: each}
	err := r.run(o.Start)
	return r.rec, err
}
