package main

import (
	"context"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"metricd/internal/top"
)

// What a terminal is told, as xterm and all since have it (ECMA-48 and DEC's private modes).
const (
	enterScreen = "\x1b[?1049h\x1b[?25l" // the other screen, without a cursor
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	toTop       = "\x1b[H"
	endOfLine   = "\x1b[K\r\n" // nothing behind it
	below       = "\x1b[J"     // nothing below
)

// terminal is standard output while it shows screens, and standard input, for the key that ends that. It is for one goroutine.
type terminal struct {
	before *term.State // nil: standard input is no terminal
	cancel context.CancelFunc
}

// newTerminal makes standard output a screen, until restore. The context that it returns is done when q, Ctrl-C or Ctrl-D is typed.
func newTerminal(ctx context.Context) (*terminal, context.Context, error) {
	ctx, cancel := context.WithCancel(ctx)
	t := &terminal{cancel: cancel}
	if in := int(os.Stdin.Fd()); term.IsTerminal(in) {
		var err error
		if t.before, err = term.MakeRaw(in); err != nil { // Ctrl-C is then a key, too
			cancel()
			return nil, nil, err
		}
		go awaitEnd(os.Stdin, cancel) // ends with the process
	}
	_, err := os.Stdout.WriteString(enterScreen)
	if err != nil {
		t.restore()
	}
	return t, ctx, err
}

// awaitEnd calls end when a key that ends it is typed.
func awaitEnd(keys io.Reader, end func()) {
	buf := make([]byte, 64)
	for {
		n, err := keys.Read(buf)
		if err != nil || strings.ContainsAny(string(buf[:n]), "qQ\x03\x04") {
			end()
			return
		}
	}
}

// restore leaves the terminal as it was.
func (t *terminal) restore() {
	t.cancel()
	os.Stdout.WriteString(leaveScreen) //nolint:errcheck // there is nobody to tell
	if t.before != nil {
		term.Restore(int(os.Stdin.Fd()), t.before) //nolint:errcheck // as above
	}
}

// draw draws v in one write, over what was there, so that nothing flickers.
func (t *terminal) draw(v *top.View) error {
	v.Width, v.Height = 80, 24
	if width, height, err := term.GetSize(int(os.Stdout.Fd())); err == nil && width > 0 && height > 0 {
		v.Width, v.Height = width, height
	}
	text := toTop + strings.Join(v.Lines(), endOfLine) + "\x1b[K" + below
	_, err := os.Stdout.WriteString(text)
	return err
}
