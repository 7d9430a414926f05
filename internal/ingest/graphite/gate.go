package graphite

import (
	"context"
	"sync"
)

// gate is shut while the store takes no writes for now. Connections wait before it without a buffer; those that shut
// it hold theirs, with the samples that were refused, and try them again. So the memory held is bounded by the
// connections that were at work at the moment the store stopped taking writes.
//
//	shut by 0   connections read
//	shut by n   n connections hold samples; all others wait until n is 0 again
//
// The zero value is open. Its methods are safe for concurrent use.
type gate struct {
	mu struct {
		sync.Mutex
		by     int           // connections that keep it shut
		opened chan struct{} // closed when by becomes 0; nil while it is 0
	}
}

// shut shuts the gate until open is called as often.
func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.mu.by++; g.mu.by == 1 {
		g.mu.opened = make(chan struct{})
	}
}

// open takes one shut back.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.mu.by--; g.mu.by == 0 {
		close(g.mu.opened)
		g.mu.opened = nil
	}
}

// wait waits until the gate is open, or ctx is done.
func (g *gate) wait(ctx context.Context) {
	g.mu.Lock()
	opened := g.mu.opened
	g.mu.Unlock()
	if opened == nil {
		return
	}
	select {
	case <-opened:
	case <-ctx.Done():
	}
}

// held returns how many keep it shut.
func (g *gate) held() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return int64(g.mu.by)
}
