package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// screen is stderr, with the progress of reading a file below what is printed if it is a terminal. Its methods
// are safe for concurrent use.
type screen struct {
	mu struct {
		sync.Mutex
		bar *progressbar.ProgressBar // nil: none
	}
}

// newScreen returns a screen for the progress of reading file.
func newScreen(file *os.File) *screen {
	s := &screen{}
	if !term.IsTerminal(int(os.Stderr.Fd())) || term.IsTerminal(int(file.Fd())) {
		return s
	}
	length := int64(-1)
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		length = info.Size()
	}
	s.mu.bar = progressbar.NewOptions64(length,
		progressbar.OptionSetWriter(os.Stderr),
		progressbar.OptionSetDescription("put"),
		progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetRenderBlankState(true),
		progressbar.OptionClearOnFinish())
	return s
}

// Write counts p as read. It never fails.
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
