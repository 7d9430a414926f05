package httpapi

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// authority makes certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

// newAuthority writes its own certificate to ca.pem in dir.
func newAuthority(t *testing.T, dir string) *authority {
	t.Helper()
	a := &authority{pool: x509.NewCertPool()}
	a.cert, a.key = a.issue(t, dir, "ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	a.pool.AddCert(a.cert)
	return a
}

// issue writes a certificate and its key to name.pem and name.key in dir.
func (a *authority) issue(t *testing.T, dir, name string, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber, c.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: name}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, name+".pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, filepath.Join(dir, name+".key"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made, key
}

func write(t *testing.T, file, text string) string {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// client returns one that takes the authority's word for a server, and shows the certificate that is called so, if any.
func (a *authority) client(t *testing.T, dir, name string) *http.Client {
	t.Helper()
	c := &tls.Config{RootCAs: a.pool, NextProtos: []string{"h2", "http/1.1"}}
	if name != "" {
		pair, err := tls.LoadX509KeyPair(filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key"))
		if err != nil {
			t.Fatal(err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	transport := &http.Transport{TLSClientConfig: c, DisableKeepAlives: true, ForceAttemptHTTP2: true}
	return &http.Client{Transport: transport}
}

func hashOf(t *testing.T, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(hash)
}

const (
	serverPart = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n"
	mutualPart = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n"
)

// TestWebConfig: over TLS and not, with passwords, certificates of clients, both or neither.
func TestWebConfig(t *testing.T) {
	dir := t.TempDir()
	ca := newAuthority(t, dir)
	ca.issue(t, dir, "server", &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	ca.issue(t, dir, "known", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	(&authority{}).issue(t, dir, "stranger", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	users := "basic_auth_users:\n  ann: " + hashOf(t, "secret") + "\n"
	for _, tt := range []struct {
		config, scheme, cert, user, password string
		security                             Security
		want                                 int // 0: no connection comes about
		host                                 int // the answer to a Host that nobody knows
	}{
		{"{}", "http", "", "", "", Security{}, 200, 421},
		{serverPart, "https", "", "", "", Security{TLS: true}, 200, 421},
		{serverPart, "http", "", "", "", Security{TLS: true}, 400, 400},
		{users, "http", "", "ann", "secret", Security{Auth: true}, 200, 200},
		{users, "http", "", "ann", "wrong", Security{Auth: true}, 401, 401},
		{users, "http", "", "bob", "secret", Security{Auth: true}, 401, 401},
		{users, "http", "", "", "", Security{Auth: true}, 401, 401},
		{serverPart + users, "https", "", "ann", "secret", Security{true, true}, 200, 200},
		{serverPart + users, "https", "", "", "", Security{true, true}, 401, 401},
		{serverPart + mutualPart, "https", "known", "", "", Security{true, true}, 200, 200},
		{serverPart + mutualPart, "https", "stranger", "", "", Security{true, true}, 0, 0},
		{serverPart + mutualPart, "https", "", "", "", Security{true, true}, 0, 0},
		{serverPart + mutualPart + users, "https", "known", "ann", "wrong", Security{true, true}, 401, 401},
		{serverPart + "  client_auth_type: RequireAnyClientCert\n", "https", "stranger", "", "", Security{TLS: true}, 200, 421},
	} {
		file := write(t, filepath.Join(dir, "web.yml"), tt.config)
		if got, err := CheckWebConfig(file); err != nil || got != tt.security {
			t.Errorf("%q: %+v, %v", tt.config, got, err)
		}
		s := serve(t, Config{Store: memory(t), WebConfig: file})
		client := ca.client(t, dir, tt.cert)
		for host, want := range map[string]int{"127.0.0.1": tt.want, "metrics.example": tt.host} {
			r, err := http.NewRequest("GET", tt.scheme+"://"+s.addr+"/api/v1/export", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = host
			if tt.user != "" {
				r.SetBasicAuth(tt.user, tt.password)
			}
			answer, err := client.Do(r)
			if err != nil {
				if want != 0 {
					t.Errorf("%q as %s: %v", tt.config, host, err)
				}
				continue
			}
			text, err := io.ReadAll(answer.Body)
			if err := errors.Join(err, answer.Body.Close()); err != nil || answer.StatusCode != want || want == 200 && string(text) != "key,milliseconds,value\n" || answer.ProtoMajor != 1 {
				t.Errorf("%q as %s: got %s, %v, want %d %s", tt.config, host, answer.Status, err, want, text)
			}
		}
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	}
}

// TestWebConfigReloads: what is changed in the file counts from the next request on.
func TestWebConfigReloads(t *testing.T) {
	dir := t.TempDir()
	file := write(t, filepath.Join(dir, "web.yml"), "basic_auth_users:\n  ann: "+hashOf(t, "secret")+"\n")
	s := serve(t, Config{Store: memory(t), WebConfig: file})
	basic := func(password string) string {
		r := &http.Request{Header: http.Header{}}
		r.SetBasicAuth("ann", password)
		return r.Header.Get("Authorization")
	}
	ask := func(password, host string, want int) {
		t.Helper()
		if status, text, _ := s.do("GET", "/-/ready", nil, "Authorization", basic(password), "Host", host); status != want {
			t.Errorf("%s, as %s: got %d %s", password, host, status, text)
		}
	}
	ask("secret", "metrics.example", 200)
	write(t, file, "basic_auth_users:\n  ann: "+hashOf(t, "other")+"\n")
	ask("secret", "localhost", 401)
	ask("other", "metrics.example", 200)
	write(t, file, "{}")
	ask("secret", "localhost", 200)
	ask("secret", "metrics.example", 421) // no password stands before strangers now
}

func TestBadWebConfig(t *testing.T) {
	dir := t.TempDir()
	ca := newAuthority(t, dir)
	ca.issue(t, dir, "server", &x509.Certificate{})
	for config, want := range map[string]string{
		"passwords: {}\n":                                                                             "line 1: field passwords not found",
		"basic_auth_users:\n  ann: secret\n":                                                          "basic_auth_users: ann: the password is no bcrypt hash",
		"tls_server_config:\n  cert_file: server.pem\n":                                               "tls_server_config: missing one of key or key_file",
		"tls_server_config:\n  cert_file: none.pem\n  key_file: server.key\n":                         "tls_server_config: failed to read cert_file (" + filepath.Join(dir, "none.pem"),
		"tls_server_config:\n  cert_file: server.pem\n  key_file: ca.key\n":                           "tls_server_config: failed to load X509KeyPair",
		serverPart + "  client_ca_file: ca.pem\n":                                                     "tls_server_config: client CA's have been configured without a Client Auth Policy",
		serverPart + "  client_auth_type: Sometimes\n":                                                "tls_server_config: invalid ClientAuth: Sometimes",
		serverPart + mutualPart + "  min_version: TLS9\n":                                             "unknown TLS version: TLS9",
		serverPart + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: server.key\n": "tls_server_config: client_ca_file (" + filepath.Join(dir, "server.key") + ") holds no certificate",
		"http_server_config:\n  headers:\n    Server: x\n":                                            "HTTP header \"Server\" can not be configured",
		"\t": "found character that cannot start any token",
	} {
		_, err := CheckWebConfig(write(t, filepath.Join(dir, "web.yml"), config))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v", config, err)
		}
	}
	if _, err := CheckWebConfig(filepath.Join(dir, "none.yml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestAdmin: health needs no password on the admin listener, and there is nothing else; also on a socket, and with too many connections elsewhere.
func TestAdmin(t *testing.T) {
	dir := t.TempDir()
	file := write(t, filepath.Join(dir, "web.yml"), "basic_auth_users:\n  ann: "+hashOf(t, "secret")+"\n")
	for _, network := range []string{"tcp", "unix"} {
		addr := "127.0.0.1:0"
		if network == "unix" {
			addr = filepath.Join(dir, "admin")
		}
		ln, err := net.Listen(network, addr)
		if err != nil {
			t.Fatal(err)
		}
		store := memory(t)
		api := New(Config{Store: store, WebConfig: file})
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- api.ServeAdmin(ctx, ln) }()
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, ln.Addr().String())
		}}}
		for _, tt := range []struct {
			method, path, host string
			want               int
		}{
			{"GET", "/-/healthy", "localhost", 200},
			{"GET", "/-/ready", "localhost", 200},
			{"GET", "/api/v1/export", "localhost", 404},
			{"POST", "/api/v1/import", "localhost", 404},
			{"POST", "/-/ready", "localhost", 405},
			{"GET", "/-/ready", "evil.example", map[string]int{"tcp": 421, "unix": 200}[network]},
		} {
			r, err := http.NewRequest(tt.method, "http://"+tt.host+tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if answer.Body.Close(); answer.StatusCode != tt.want {
				t.Errorf("%s: %+v: got %s", network, tt, answer.Status)
			}
		}
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}
}
