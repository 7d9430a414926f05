package main

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/dustin/go-humanize"

	"metricd/client"
)

// feed sends one stream of put lines. Its goroutine owns read and unsent; the Writer's calls refuse,
// which alone touches refused, lost and the rest until the Writer is closed.
type feed struct {
	server *server
	w      *client.Writer
	screen *screen
	bad    complaints

	given  int64 // lines that the Writer took
	unsent int64 // lines that were not sent, since they are no puts

	refused int64 // lines that the server refused
	lost    int64 // lines whose replies never came
}

// putFile sends the lines of c.File.
func (c *putCmd) putFile() error {
	file := os.Stdin
	if c.File != "-" {
		var err error
		if file, err = os.Open(c.File); err != nil {
			return fmt.Errorf("%w: want a file with put lines, or - for stdin", err)
		}
		defer file.Close()
	}
	f := &feed{server: &c.server, screen: newScreen("put", file, sizeOf(file))}
	f.bad.printf = f.screen.printf
	var err error
	f.w, err = client.DialWriter(context.Background(), c.Addr, client.WriterOptions{Options: clientOptions(), OnError: f.refuse})
	if err != nil {
		return c.serverError(err)
	}
	start := time.Now()
	sendErr := f.send(io.TeeReader(file, f.screen))
	closeErr := f.w.Close(context.Background())
	f.screen.end()
	f.bad.end()
	f.summary(time.Since(start))
	return f.verdict(sendErr, closeErr)
}

// errUnreadable wraps what ended the input early.
var errUnreadable = errors.New("the input cannot be read to its end; what came before was sent")

// send sends the lines of in, unpacked if need be. Every line is given to the Writer, also one that
// is no put, so that the numbers that the Writer counts are those of the lines.
func (f *feed) send(in io.Reader) error {
	lines, err := unpack(in)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreadable, err)
	}
	for number := int64(1); ; number++ {
		line, err := lines.ReadSlice('\n')
		switch {
		case err == io.EOF && len(bytes.TrimSpace(line)) == 0:
			return nil
		case err == io.EOF:
			f.skip(number, line, "it has no line end, so it may be cut short")
			return nil
		case err != nil && err != bufio.ErrBufferFull:
			return fmt.Errorf("%w (line %d): %w", errUnreadable, number, err)
		}
		if err := f.line(number, line); err != nil {
			return err
		}
		for err == bufio.ErrBufferFull { // the rest of a line that was too long
			_, err = lines.ReadSlice('\n')
		}
	}
}

// line sends one line. An error means that there is no hope for the others either.
func (f *feed) line(number int64, line []byte) error {
	err := f.w.PutLine(line)
	switch {
	case errors.Is(err, client.ErrInvalid) && len(line) > longestLine:
		f.skip(number, line, "it is longer than "+humanize.IBytes(longestLine+1))
	case errors.Is(err, client.ErrInvalid):
		f.skip(number, line, "it is no put KEY VALUE TIMESTAMP")
	case err != nil:
		return err
	case len(bytes.TrimSpace(line)) > 0:
		f.given++
	}
	return nil
}

// unpack returns the lines of in, which may be gzip: it is known by its first two bytes. What line is
// longer than longestLine comes as bufio.ErrBufferFull.
func unpack(in io.Reader) (*bufio.Reader, error) {
	packed := bufio.NewReaderSize(in, 256<<10)
	if head, err := packed.Peek(2); err == nil && head[0] == 0x1f && head[1] == 0x8b {
		plain, err := gzip.NewReader(packed)
		if err != nil {
			return nil, err
		}
		return bufio.NewReaderSize(plain, longestLine+1), nil
	}
	return bufio.NewReaderSize(packed, longestLine+1), nil
}

// skip reports a line that is not sent.
func (f *feed) skip(number int64, line []byte, why string) {
	f.unsent++
	f.bad.add(number, line, "not sent: "+why)
}

// refuse reports a line that was not stored. Lines whose connection was lost are reported together, by
// the first of them.
func (f *feed) refuse(e *client.PutError) {
	var said *client.ServerError
	if errors.As(e.Err, &said) && !errors.Is(e.Err, client.ErrNotAcknowledged) {
		f.refused++
		why := said.Text
		if errors.Is(said, client.ErrWrongCommand) {
			why += ": " + cmp.Or(explain(e.Line), tooLong)
		}
		f.bad.add(e.Number, []byte(e.Line), why)
		return
	}
	if f.lost++; f.lost == 1 {
		f.screen.printf("line %d: %q, and all after it that were sent: no reply came, they may be stored or not: %v\n", e.Number, excerpt([]byte(e.Line)), f.server.serverError(e.Err))
	}
}

// excerpt returns line without its line end, cut if it is long.
func excerpt(line []byte) string {
	const most = 200
	line = bytes.TrimRight(line, "\r\n")
	if len(line) > most {
		return string(line[:most]) + "…"
	}
	return string(line)
}

// summary says how much was stored.
func (f *feed) summary(took time.Duration) {
	stored := f.given - f.refused - f.lost
	text := humanize.Comma(stored) + " lines stored"
	for _, part := range []struct {
		n    int64
		what string
	}{{f.refused, "refused"}, {f.unsent, "not sent"}, {f.lost, "without a reply"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %s %s", humanize.Comma(part.n), part.what)
		}
	}
	seconds := max(took.Seconds(), 1e-3)
	f.screen.printf("%s in %.2f s (%s lines/s)\n", text, seconds, humanize.Comma(int64(float64(stored)/seconds)))
}

// verdict returns the error that the command ends with.
func (f *feed) verdict(sendErr, closeErr error) error {
	switch {
	case errors.Is(sendErr, errUnreadable):
		return sendErr
	case sendErr != nil:
		return f.server.serverError(sendErr)
	case closeErr != nil:
		return f.server.serverError(closeErr)
	case f.refused+f.unsent+f.lost > 0:
		return errors.New("not all lines were stored: see above why, and put them again when that is mended")
	}
	return nil
}
