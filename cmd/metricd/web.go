package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// webServer is what the commands that talk to the HTTP API of a server have in common.
type webServer struct {
	HTTP string `name:"http" default:"${http}" env:"METRICD_HTTP_ADDR" placeholder:"HOST:PORT" help:"The HTTP address of the server to talk to (default ${default})."`
}

// untilInterrupted returns a context that is done when SIGINT or SIGTERM comes, so that what was begun can be tidied up. A
// second signal ends the process.
func untilInterrupted() (ctx context.Context, stop func()) {
	ctx, stop = signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// request sends a request and returns the answer, whose body the caller closes. An answer that is an error is one only if it is
// not in ok.
func (s *webServer) request(ctx context.Context, method, path string, query url.Values, body io.Reader, ok ...int) (*http.Response, error) {
	u := url.URL{Scheme: "http", Host: s.HTTP, Path: path, RawQuery: query.Encode()}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, usagef("--http %q: %w; want HOST:PORT", s.HTTP, err)
	}
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		DisableCompression:  true, // the server's processor is dearer than the way to it
		DisableKeepAlives:   true, // one request, and no connection that stays
		WriteBufferSize:     256 << 10,
		ReadBufferSize:      256 << 10,
		MaxIdleConnsPerHost: -1,
	}
	answer, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return nil, s.failed(err)
	}
	for _, status := range append(ok, http.StatusOK) {
		if answer.StatusCode == status {
			return answer, nil
		}
	}
	defer answer.Body.Close()
	return nil, s.refused(answer)
}

// failed says what to do about err, which came of talking to the server.
func (s *webServer) failed(err error) error {
	var op *net.OpError
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // without method and URL
	}
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted")
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no HTTP API at %s (connection refused): start a server with `metricd serve`, or name another with --http", s.HTTP)
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Errorf("no way to %s (%w): name another server with --http HOST:PORT", s.HTTP, op.Err)
	case strings.Contains(err.Error(), "malformed HTTP response"): // net/http has no error of its own for it
		return fmt.Errorf("what answers at %s does not speak HTTP: --http wants the HTTP address of a server, not that of the line protocol", s.HTTP)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return fmt.Errorf("%s ended its answer early: its log says why", s.HTTP)
	}
	return fmt.Errorf("talking to %s: %w", s.HTTP, err)
}

// refused returns what an answer that is an error says.
func (s *webServer) refused(answer *http.Response) error {
	const most = 64 << 10
	var said struct{ Error string }
	if json.NewDecoder(io.LimitReader(answer.Body, most)).Decode(&said) != nil || said.Error == "" {
		return fmt.Errorf("%s answers %s: is it a metricd of this version?", s.HTTP, answer.Status)
	}
	return fmt.Errorf("%s refused it: %s", s.HTTP, said.Error)
}
