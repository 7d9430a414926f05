package httpapi

import (
	"fmt"
	"strings"
	"testing"
)

func TestMetadata(t *testing.T) {
	m := newMetadata()
	m.Tell([]byte("a"), "gauge", []byte("what a is"), nil)
	m.Tell([]byte("a"), "counter", []byte("what a is"), []byte("bytes"))
	m.Tell([]byte("long"), "gauge", []byte(strings.Repeat("é", maxText)), []byte("\xff"))
	m.Tell(nil, "gauge", nil, nil)
	m.Tell([]byte(strings.Repeat("n", maxMetric+1)), "gauge", nil, nil)
	if got, ok := m.find("a"); !ok || got != (metricMetadata{"counter", "what a is", "bytes"}) {
		t.Errorf("a is %+v, %v: want what was told last", got, ok)
	}
	if got, _ := m.find("long"); got.Help != strings.Repeat("é", maxText/2) || got.Unit != "" {
		t.Errorf("long is %+v", got)
	}
	if names := m.names(); len(names) != 2 {
		t.Errorf("%d metrics are known, want 2", len(names))
	}
	for i := range maxMetadata {
		m.Tell(fmt.Append(nil, "m", i), "gauge", nil, nil)
	}
	m.Tell([]byte("one more"), "gauge", nil, nil)
	m.Tell([]byte("a"), "gauge", nil, nil)
	if _, ok := m.find("one more"); ok || len(m.names()) != maxMetadata {
		t.Errorf("%d metrics are kept, want %d", len(m.names()), maxMetadata)
	}
	if got, _ := m.find("a"); got.Type != "gauge" {
		t.Errorf("a full set does not learn of what it knows: %+v", got)
	}
}

// What is told again and again, as senders do, takes no memory.
func TestMetadataAllocates(t *testing.T) {
	m := newMetadata()
	metric, help, unit := []byte("requests_total"), []byte("Requests."), []byte("requests")
	m.Tell(metric, "counter", help, unit)
	if n := testing.AllocsPerRun(100, func() { m.Tell(metric, "counter", help, unit) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
