package remotewrite

// Metadata takes what senders tell of metrics. It is called from several goroutines at once and must not block.
type Metadata interface {
	// Tell says of which type the metric (of classic histograms and summaries, the family) is: counter, gauge, histogram, gaugehistogram, summary, info,
	// stateset or unknown; and its help and unit, which may be empty. The bytes are the caller's: what is to be kept is
	// copied. They may be anything, of any length, and the same is told again and again: what is kept is to be bounded.
	Tell(metric []byte, kind string, help, unit []byte)
}

// The types of metrics, with the numbers that both versions give them.
const (
	kindHistogram      = 3
	kindGaugeHistogram = 4
	kindSummary        = 5
)

var kinds = [...]string{
	"unknown", "counter", "gauge", kindHistogram: "histogram", kindGaugeHistogram: "gaugehistogram", kindSummary: "summary", 6: "info", 7: "stateset",
}

// tell passes metadata on.
func (w *work) tell(metric []byte, kind uint64, help, unit []byte) {
	if w.meta == nil || len(metric) == 0 {
		return
	}
	if kind >= uint64(len(kinds)) {
		kind = 0
	}
	w.meta.Tell(metric, kinds[kind], help, unit)
}
