package main

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// patientWriter writes to something that may block, such as a pipe that nobody reads, in a
// goroutine of its own. Its writers never wait: when too much has gathered, what comes is dropped
// and counted. Safe for concurrent use.
type patientWriter struct {
	lines   chan []byte
	dropped atomic.Int64
	done    chan struct{}
}

func newPatientWriter(w io.Writer) *patientWriter {
	p := &patientWriter{lines: make(chan []byte, 1024), done: make(chan struct{})}
	go func() {
		defer close(p.done)
		for line := range p.lines {
			if n := p.dropped.Swap(0); n > 0 {
				fmt.Fprintf(w, "%d lines were dropped here: they were not read in time\n", n)
			}
			w.Write(line)
		}
	}()
	return p
}

// Write takes a copy of line, or drops it. It never fails.
func (p *patientWriter) Write(line []byte) (int, error) {
	select {
	case p.lines <- append([]byte(nil), line...):
	default:
		p.dropped.Add(1)
	}
	return len(line), nil
}

// Close waits until everything is written, for a second at most. There must be no Write any more.
func (p *patientWriter) Close() {
	close(p.lines)
	select {
	case <-p.done:
	case <-time.After(time.Second):
	}
}
