package collect

// roundSize is what a Round is counted for in memory, beside its samples.
const roundSize = 64

// size returns what r holds of memory, about: a sample is a header of 16 bytes, a value of 8, and its key.
func (r Round) size() int {
	n := roundSize
	for _, s := range r.Samples {
		n += 24 + len(s.Key)
	}
	return n
}

// queue holds rounds in order of time, oldest first, up to a number of bytes. It drops the oldest, but never the newest one. Not for
// concurrent use.
type queue struct {
	limit   int // in bytes
	rounds  []Round
	bytes   int // of rounds
	samples int // of rounds
	dropped int // samples ever
}

// push adds the newest round.
func (q *queue) push(r Round) {
	q.rounds = append(q.rounds, r)
	q.count(r, 1)
	q.trim()
}

// pop takes the oldest round.
func (q *queue) pop() (r Round, ok bool) {
	if len(q.rounds) == 0 {
		return r, false
	}
	r = q.rounds[0]
	q.rounds[0] = Round{} // for the garbage collector
	q.rounds = q.rounds[1:]
	q.count(r, -1)
	return r, true
}

// unpop gives back what pop took.
func (q *queue) unpop(r Round) {
	q.rounds = append([]Round{r}, q.rounds...)
	q.count(r, 1)
	q.trim()
}

// trim drops rounds until the rest is within the limit.
func (q *queue) trim() {
	for q.bytes > q.limit && len(q.rounds) > 1 {
		r, _ := q.pop()
		q.dropped += len(r.Samples)
	}
}

// count counts r n times.
func (q *queue) count(r Round, n int) {
	q.bytes += n * r.size()
	q.samples += n * len(r.Samples)
}
