package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
)

// failed says what to do about err, which came of talking to the server.
func (s *webServer) failed(err error) error {
	var op *net.OpError
	var u *url.Error
	var certificate *tls.CertificateVerificationError
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
	case errors.As(err, &certificate):
		return fmt.Errorf("%s is not known to be the right server (%w): --ca FILE names the certificate that says so", s.HTTP, certificate.Err)
	case errors.As(err, &op) && op.Op == "remote error": // what a peer says in TLS
		return fmt.Errorf("%s refused the connection (%w): does it want a certificate, --cert FILE?", s.HTTP, op.Err)
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"): // net/http has no error of its own for these
		return fmt.Errorf("%s does not speak TLS: name it as HOST:PORT or http://…", s.HTTP)
	case strings.Contains(err.Error(), "malformed HTTP response"), errors.As(err, new(tls.RecordHeaderError)):
		return fmt.Errorf("what answers at %s does not speak HTTP: --http wants the HTTP address of a server, not that of the line protocol", s.HTTP)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return fmt.Errorf("%s ended its answer early: its log says why", s.HTTP)
	}
	return fmt.Errorf("talking to %s: %w", s.HTTP, err)
}

// refused returns what an answer that is an error says.
func (s *webServer) refused(answer *http.Response) error {
	const most = 64 << 10
	text, err := io.ReadAll(io.LimitReader(answer.Body, most))
	var said struct{ Error string }
	switch {
	case err == nil && json.Unmarshal(text, &said) == nil && said.Error != "":
		return fmt.Errorf("%s refused it: %s", s.HTTP, said.Error)
	case answer.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("%s wants another user or password: --http https://USER@%[1]s, and the password in %s", s.HTTP, passwordVariable)
	case strings.Contains(string(text), "HTTP request to an HTTPS server"): // as net/http says
		return fmt.Errorf("%s speaks TLS: --http https://%[1]s", s.HTTP)
	}
	return fmt.Errorf("%s answers %s: is it a metricd of this version?", s.HTTP, answer.Status)
}
