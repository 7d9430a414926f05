package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"metricd"
)

// webServer is what the commands that talk to the HTTP API of a server have in common.
type webServer struct {
	HTTP string `name:"http" env:"METRICD_HTTP_ADDR" placeholder:"HOST:PORT" help:"The HTTP address of the server to talk to (default ${http}), or https://USER@HOST:PORT; METRICD_HTTP_PASSWORD is the password."`
	CA   string `name:"ca" env:"METRICD_HTTP_CA" placeholder:"FILE" help:"The certificates, in PEM, that tell the server to be the right one (default: those that this machine trusts)."`
	Cert string `name:"cert" env:"METRICD_HTTP_CERT" placeholder:"FILE" help:"A certificate, in PEM, to show to a server that asks for one; its key is in it, or in --key."`
	Key  string `name:"key" env:"METRICD_HTTP_KEY" placeholder:"FILE" help:"The key of --cert."`
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
	u, err := s.url()
	if err != nil {
		return nil, err
	}
	secure, err := s.tls()
	if err != nil {
		return nil, err
	}
	u.Path, u.RawQuery = path, query.Encode()
	r, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, usagef("--http %q: %w; want HOST:PORT", s.HTTP, err)
	}
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSClientConfig:     secure,
		TLSHandshakeTimeout: 10 * time.Second,
		DisableCompression:  true, // the server's processor is dearer than the way to it
		DisableKeepAlives:   true, // one request, and no connection that stays
		WriteBufferSize:     256 << 10,
		ReadBufferSize:      256 << 10,
		MaxIdleConnsPerHost: -1,
	}
	answer, err := (&http.Client{Transport: transport, CheckRedirect: neverElsewhere}).Do(r)
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

// neverElsewhere refuses to be sent to another place: the server does not do that, and a body is not sent twice.
func neverElsewhere(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// passwordVariable holds the password: everybody on the machine can see what is on a command line.
const passwordVariable = "METRICD_HTTP_PASSWORD"

// url returns where the server is, with the user and the password.
func (s *webServer) url() (*url.URL, error) {
	if s.HTTP == "" {
		if err := onlyOther(); err != nil {
			return nil, err
		}
		s.HTTP = metricd.DefaultHTTP
	}
	text := s.HTTP
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	const want = "want HOST:PORT, or a URL such as https://USER@HOST:PORT"
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, usagef("--http: %s: it is no address", want) // the error would show what may be a password
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.RawQuery != "", u.Fragment != "", u.Path != "" && u.Path != "/":
		return nil, usagef("--http %q: %s", u.Redacted(), want)
	case hasPassword(u):
		return nil, usagef("--http: everybody can read a password on a command line: give it in the variable %s", passwordVariable)
	}
	s.HTTP = u.Host // for messages
	if password := os.Getenv(passwordVariable); u.User != nil {
		u.User = url.UserPassword(u.User.Username(), password)
	} else if password != "" {
		return nil, usagef("%s is set, and --http names no user: %s", passwordVariable, want)
	}
	return u, nil
}

func hasPassword(u *url.URL) bool {
	_, has := u.User.Password()
	return has
}

// onlyOther refuses to take the default HTTP address for granted where the address of another server is set.
func onlyOther() error {
	addr := os.Getenv("METRICD_ADDR")
	if addr == "" || sameAddr(addr, metricd.DefaultListen) {
		return nil
	}
	return usagef("METRICD_ADDR names the server %s, and not where its HTTP API is: say that with --http HOST:PORT or METRICD_HTTP_ADDR", addr)
}

// tls returns how to know the server, and to be known by it.
func (s *webServer) tls() (*tls.Config, error) {
	c := new(tls.Config)
	if s.CA != "" {
		pem, err := os.ReadFile(s.CA)
		if err != nil {
			return nil, usagef("--ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, usagef("--ca %s: there is no certificate in it (want PEM)", s.CA)
		}
	}
	switch {
	case s.Cert != "":
		pair, err := tls.LoadX509KeyPair(s.Cert, cmp.Or(s.Key, s.Cert))
		if err != nil {
			return nil, usagef("--cert %s: %w", s.Cert, err)
		}
		c.Certificates = []tls.Certificate{pair}
	case s.Key != "":
		return nil, usagef("--key %s: it is of no use without --cert", s.Key)
	}
	return c, nil
}
