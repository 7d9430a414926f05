// Package lineorder remembers the order in which a connection sends its series, so that the
// beginning of the next line is known before it is read. It serves every protocol of lines in which the
// series comes first.
package lineorder

import (
	"sync/atomic"

	"metricd/internal/storage"
)

// Order is what one connection sent: agents send the same series in the same order, again and again. So
// the beginning of the next line, a prefix, the key and a space, is
// known before it is read, with the store's name for the series: one comparison takes the
// place of finding the key's end, checking it and looking it up. A wrong guess costs that
// comparison and nothing else. The zero value knows nothing and learns nothing; see New. Not for concurrent use.
//
//	text   put a.cpu put a.mem put b.cpu
//	ends            ^         ^         ^
//	refs   7         8         0             0: not known yet
//	pos              the next line is expected to put a.mem
type Order struct {
	prefix string
	text   []byte
	ends   []uint32
	refs   []storage.Ref
	pos    int // of the next line; len(ends) stands for 0, too: after the last comes the first
	seen   int // lines that came as a surprise, up to beginLearning

	budget *atomic.Int64 // bytes that all connections together may still take
	taken  int           // bytes that this one took of it
}

const (
	// beginLearning is the number of lines after which a connection is worth the memory.
	beginLearning = 8
	// maxEntries and maxText bound it to about 1.5 MiB a connection.
	maxEntries = 1 << 15
	maxText    = 1 << 20
	// maxSkipped is how many series in a row may be left out of a round without learning anew.
	maxSkipped = 4
)

// Budget is how many bytes a server should let all its connections take together. Slices grow ahead, so it can
// become twice that much.
const Budget = 64 << 20

// Learned says that what the store calls the series of a row, as soon as it has taken the row, is to be
// learned for a place in the order.
type Learned struct{ Row, At int }

// New returns an Order of lines that begin with prefix and the key. It takes its memory from budget, in bytes,
// which all connections of a server share.
func New(prefix string, budget *atomic.Int64) Order { return Order{prefix: prefix, budget: budget} }

// Next returns the expected beginning of the next line, with the space behind the key, and what the store calls its
// series. If nothing is expected it returns what no line begins with.
func (o *Order) Next() (text []byte, ref storage.Ref) {
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

// Step says that the next line was as expected. It returns its place.
func (o *Order) Step() (at int) {
	if at = o.pos; at == len(o.ends) {
		at = 0
	}
	o.pos = at + 1
	return at
}

// entry returns what is remembered at i.
func (o *Order) entry(i int) (text []byte, ref storage.Ref) {
	return o.text[o.start(i):o.ends[i]], o.refs[i]
}

// start returns where the text of entry i begins.
func (o *Order) start(i int) uint32 {
	if i == 0 {
		return 0
	}
	return o.ends[i-1]
}

// isKey says whether the entry at i is of this key.
func (o *Order) isKey(i int, key []byte) bool {
	text, _ := o.entry(i)
	return string(text[len(o.prefix):len(text)-1]) == string(key)
}

// Look is told the key of a line that was not expected, and takes its place for the present one. It
// returns that place and what the store calls the series, 0 if that is to be learned; and
// -1 for a key that is not remembered.
func (o *Order) Look(key []byte) (at int, ref storage.Ref) {
	if o.seen < beginLearning {
		o.seen++
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
	size := len(o.prefix) + len(key) + len(" ")
	if len(o.ends) == maxEntries || len(o.text)+size > maxText || !o.take(size) {
		return -1, 0
	}
	o.text = append(o.text, o.prefix...)
	o.text = append(o.text, key...)
	o.text = append(o.text, ' ')
	o.ends = append(o.ends, uint32(len(o.text)))
	o.refs = append(o.refs, 0)
	o.pos = len(o.ends)
	return o.pos - 1, 0
}

// take reserves memory for an entry with so much text, and says whether there is some.
func (o *Order) take(text int) bool {
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

// Forget gives the memory back.
func (o *Order) Forget() {
	o.budget.Add(int64(o.taken))
	*o = New(o.prefix, o.budget)
}

// Learn is told what the store calls the series at a place that Look gave.
func (o *Order) Learn(at int, ref storage.Ref) {
	if at < len(o.refs) { // else it was forgotten since
		o.refs[at] = ref
	}
}
