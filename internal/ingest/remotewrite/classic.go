package remotewrite

import "math"

// histogram takes a native histogram of the series that ident spells, as classic series. With custom bounds these say all of it; of
// one with exponential buckets they keep count and sum only, and it counts as refused, unless it is a staleness marker.
func (w *work) histogram(ident, b []byte, why reason) error {
	h := &w.hist
	if !h.decode(b) {
		return errUndecodable
	}
	custom := h.schema == customBounds
	if why == taken && custom && !h.classic() {
		why = badHistogram
	}
	if why != taken {
		w.refuse(why, true, ident, h.t)
		return nil
	}
	if !custom {
		h.bounds, h.cumulative = h.bounds[:0], h.cumulative[:0]
		if h.stale() {
			h.count = h.sum
		}
	}
	if !w.Room(len(h.cumulative) + 2) {
		if err := w.store(); err != nil {
			return err
		}
	}
	first := w.Len()
	if why := w.classic(ident); why != taken {
		w.Cut(first)
		if why == undecodable {
			return errUndecodable
		}
		w.refuse(why, true, ident, h.t)
		return nil
	}
	partly := !custom && !h.stale()
	w.hists = append(w.hists, ofHistogram{first, w.Len(), partly})
	if partly {
		w.refuse(nativeHistogram, true, ident, h.t)
	}
	return nil
}

// classic appends the rows of hist: buckets, count, sum. In the order of Prometheus' ConvertNHCBToClassic.
func (w *work) classic(ident []byte) reason {
	h := &w.hist
	for i, n := range h.cumulative {
		le := math.Inf(1)
		if i < len(h.bounds) {
			le = h.bounds[i]
		}
		if why := w.part(ident, bucket, le, n); why != taken {
			return why
		}
	}
	if why := w.part(ident, count, 0, h.count); why != taken {
		return why
	}
	return w.part(ident, sum, 0, h.sum)
}

// part appends the row of one series of hist.
func (w *work) part(ident []byte, which suffix, le, v float64) reason {
	w.derived = appendSuffix(append(w.derived[:0], ident...), which, le)
	why := w.find(w.derived)
	if why == taken {
		w.Add(w.hist.t, v)
	}
	return why
}
