package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// screen is stderr, with the progress of a file below what is printed if it is a terminal. Its methods
// are safe for concurrent use.
type screen struct {
	mu struct {
		sync.Mutex
		bar *progressbar.ProgressBar // nil: none
	}
}

// newScreen returns a screen for the progress of what: reading or writing length bytes of file, -1 if nobody knows how many.
func newScreen(what string, file *os.File, length int64) *screen {
	s := &screen{}
	if !term.IsTerminal(int(os.Stderr.Fd())) || term.IsTerminal(int(file.Fd())) {
		return s
	}
	s.mu.bar = progressbar.NewOptions64(length,
		progressbar.OptionSetWriter(os.Stderr),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetRenderBlankState(true),
		progressbar.OptionClearOnFinish())
	return s
}

// sizeOf returns the size of a regular file, -1 for others.
func sizeOf(file *os.File) int64 {
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return -1
	}
	return info.Size()
}

// Write counts p as done. It never fails.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.bar != nil {
		s.mu.bar.Add(len(p)) //nolint:errcheck // a display
	}
	return len(p), nil
}

// printf prints above the progress.
func (s *screen) printf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.bar != nil {
		s.mu.bar.Clear() //nolint:errcheck // a display
	}
	fmt.Fprintf(os.Stderr, format, args...)
}

// end takes the progress away.
func (s *screen) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.bar != nil {
		s.mu.bar.Exit()  //nolint:errcheck // a display
		s.mu.bar.Clear() //nolint:errcheck // a display
		s.mu.bar = nil
	}
}
