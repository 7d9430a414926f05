package httpapi

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v2"
	"golang.org/x/crypto/bcrypt"
)

// Security is what a web config file gives to a listener.
type Security struct {
	TLS  bool // what is said is encrypted
	Auth bool // who connects needs a password, or a certificate that is checked
}

// CheckWebConfig reads a web config file, as Prometheus and its exporters have it
// (https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md), and the certificates that it names. What is
// wrong with them is an error that says in which part.
func CheckWebConfig(file string) (Security, error) {
	c, err := readWebConfig(file)
	if err != nil {
		return Security{}, err
	}
	for user, hash := range c.Users {
		if _, err := bcrypt.Cost([]byte(hash)); err != nil {
			return Security{}, fmt.Errorf("basic_auth_users: %s: the password is no bcrypt hash, such as `htpasswd -nBC 10 %[1]s` prints (%w)", user, err)
		}
	}
	if err := web.Validate(file); err != nil {
		if c.TLSConfig.IsEnabled() {
			err = fmt.Errorf("tls_server_config: %w", err)
		}
		return Security{}, err
	}
	if err := checkClientCAs(&c.TLSConfig, filepath.Dir(file)); err != nil {
		return Security{}, fmt.Errorf("tls_server_config: %w", err)
	}
	return securityOf(c), nil
}

// checkClientCAs finds out what the toolkit takes, and then nobody can connect: a file without a certificate.
func checkClientCAs(c *web.TLSConfig, dir string) error {
	c.SetDirectory(dir)
	pem, where := []byte(c.ClientCAsText), "client_ca" // empty: nobody is asked
	if c.ClientCAs != "" {
		var err error
		if pem, err = os.ReadFile(c.ClientCAs); err != nil {
			return err
		}
		where = "client_ca_file (" + c.ClientCAs + ")"
	}
	if (len(pem) > 0 || c.ClientCAs != "") && !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s holds no certificate (want PEM)", where)
	}
	return nil
}

// readWebConfig reads the file as far as it says who may ask; the rest is for the toolkit to check.
func readWebConfig(file string) (*web.Config, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	c := &web.Config{TLSConfig: web.TLSConfig{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS13}}
	if err := yaml.UnmarshalStrict(b, c); err != nil {
		return nil, errors.New(strings.Join(strings.Fields(err.Error()), " ")) // one line
	}
	return c, nil
}

// securityOf returns what c means. A certificate that anybody can make for himself is none.
func securityOf(c *web.Config) Security {
	return Security{TLS: c.TLSConfig.IsEnabled(), Auth: len(c.Users) > 0 || c.TLSConfig.ClientAuth == "RequireAndVerifyClientCert"}
}

// authenticates says whether who asks has shown who he is. The file may have changed since the start.
func (s *Server) authenticates() bool {
	if s.cfg.WebConfig == "" {
		return false
	}
	c, err := readWebConfig(s.cfg.WebConfig)
	return err == nil && securityOf(c).Auth
}
