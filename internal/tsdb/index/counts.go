package index

// Counts calls visit with each label, by name, and how many series have it, those that have ended since it was made included. The lock
// is held shared all the while.
func (x *Index) Counts(visit func(name, value string, series int)) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for name, l := range x.mu.labels {
		for v, text := range l.texts {
			visit(name, text, len(x.placesLocked(l, uint32(v))))
		}
	}
}
