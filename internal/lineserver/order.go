package lineserver

import (
	"sync/atomic"

	"metricd/internal/storage"
)

// order remembers the order in which a connection sends its series: agents send the same ones
// in the same order, again and again. So the beginning of the next line, `put KEY `, is
// known before it is read, with the store's name for the series: one comparison takes the
// place of finding the key's end, checking it and looking it up. A wrong guess costs that
// comparison and nothing else. The zero value knows nothing. Not for concurrent use.
//
//	text   put a.cpu put a.mem put b.cpu
//	ends            ^         ^         ^
//	refs   7         8         0             0: not known yet
//	pos              the next line is expected to put a.mem
type order struct {
	text []byte
	ends []uint32
	refs []storage.Ref
	pos  int // of the next line; len(ends) stands for 0, too: after the last comes the first
	puts int // puts that came as a surprise, up to beginLearning

	budget *atomic.Int64 // bytes that all connections together may still take
	taken  int           // bytes that this one took of it
}

const (
	// beginLearning is the number of puts after which a connection is worth the memory.
	beginLearning = 8
	// maxOrder and maxOrderText bound it to about 1.5 MiB a connection, maxOrders to about
	// twice that many bytes for all connections (slices grow ahead).
	maxOrder     = 1 << 15
	maxOrderText = 1 << 20
	maxOrders    = 64 << 20
	// maxSkipped is how many series in a row may be left out of a round without learning anew.
	maxSkipped = 4
)

// learned says that refs[at] is what the store calls the series of a row, as soon as it has
// taken the row.
type learned struct{ row, at int }

// next returns the expected beginning of the next line, and what the store calls its
// series. If nothing is expected it returns what no line begins with.
func (o *order) next() (text []byte, ref storage.Ref) {
	i := o.pos
	if i == len(o.ends) {
		if i == 0 {
			return never, 0
		}
		i = 0
	}
	return o.entry(i)
}

var never = []byte("\n\n")

// step says that the next line was as expected. It returns its place.
func (o *order) step() (at int) {
	if at = o.pos; at == len(o.ends) {
		at = 0
	}
	o.pos = at + 1
	return at
}

// entry returns what is remembered at i.
func (o *order) entry(i int) (text []byte, ref storage.Ref) {
	return o.text[o.start(i):o.ends[i]], o.refs[i]
}

// start returns where the text of entry i begins.
func (o *order) start(i int) uint32 {
	if i == 0 {
		return 0
	}
	return o.ends[i-1]
}

// isKey says whether the entry at i is of this key.
func (o *order) isKey(i int, key []byte) bool {
	text, _ := o.entry(i)
	return string(text[len("put "):len(text)-1]) == string(key)
}

// look is told the key of a put that was not expected, and takes its place for the present one. It
// returns that place and what the store calls the series, 0 if that is to be learned; and
// -1 for a key that is not remembered.
func (o *order) look(key []byte) (at int, ref storage.Ref) {
	if o.puts < beginLearning {
		o.puts++
		return -1, 0
	}
	for i := o.pos; i <= o.pos+maxSkipped && i < len(o.ends); i++ {
		if o.isKey(i, key) {
			o.pos = i + 1
			return i, o.refs[i]
		}
	}
	if len(o.ends) > 0 && o.isKey(0, key) { // a new round
		o.pos = 1
		return 0, o.refs[0]
	}
	if o.pos < len(o.ends) { // something new in the middle: the rest is learned again
		o.text = o.text[:o.start(o.pos)]
		o.ends, o.refs = o.ends[:o.pos], o.refs[:o.pos]
	}
	if len(o.ends) == maxOrder || len(o.text)+len("put  ")+len(key) > maxOrderText || !o.take(len("put  ")+len(key)) {
		return -1, 0
	}
	o.text = append(o.text, "put "...)
	o.text = append(o.text, key...)
	o.text = append(o.text, ' ')
	o.ends = append(o.ends, uint32(len(o.text)))
	o.refs = append(o.refs, 0)
	o.pos = len(o.ends)
	return o.pos - 1, 0
}

// take reserves memory for an entry with so much text, and says whether there is some.
func (o *order) take(text int) bool {
	const fixed = 12 // an end and a ref
	more := len(o.text) + text + (len(o.ends)+1)*fixed - o.taken
	if more <= 0 { // taken before, for entries since forgotten
		return true
	}
	if o.budget.Add(-int64(more)) < 0 {
		o.budget.Add(int64(more))
		return false
	}
	o.taken += more
	return true
}

// forget gives the memory back.
func (o *order) forget() {
	o.budget.Add(int64(o.taken))
	*o = order{budget: o.budget}
}

// learn is told what the store calls the series at a place that look gave.
func (o *order) learn(at int, ref storage.Ref) {
	if at < len(o.refs) { // else it was forgotten since
		o.refs[at] = ref
	}
}
