package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"

	"metricd"
)

// webSafety are the flags of serve that say who may ask over HTTP.
type webSafety struct {
	WebConfigFile  string   `group:"HTTP:" name:"web.config.file" placeholder:"FILE" help:"Certificates and passwords for HTTP, as all programs of Prometheus read them; it is read again when it changes."`
	Admin          string   `group:"HTTP:" placeholder:"HOST:PORT" help:"Where /-/healthy, /-/ready and /metrics are answered without a password: an address of this machine, or unix:/path (default: nowhere)."`
	HTTPHost       []string `group:"HTTP:" name:"http-host" placeholder:"NAME" help:"A name by which clients on this machine may call the server, beside localhost; any number of times."`
	HTTPCORSOrigin []string `group:"HTTP:" name:"http-cors-origin" placeholder:"ORIGIN" help:"A web site whose pages may read here, such as https://grafana.example, or * for all; any number of times (default: none)."`
}

// apply puts the flags into cfg.
func (f *webSafety) apply(cfg *metricd.Config) {
	cfg.WebConfig, cfg.Admin, cfg.HTTPHosts, cfg.CORSOrigins = f.WebConfigFile, f.Admin, f.HTTPHost, f.HTTPCORSOrigin
}

// flagOf names the flag for a field of metricd.Config.
var flagOf = map[string]string{
	"Listen": "--listen", "HTTP": "--http", "Admin": "--admin", "Graphite": "--graphite",
	"WebConfig": "--web.config.file", "HTTPHosts": "--http-host", "CORSOrigins": "--http-cors-origin",
	"CollectInterval": "--collect-interval", "CollectHost": "--collect-host",
}

// openError says what to do about an error of metricd.Open.
func openError(err error, cfg *metricd.Config) error {
	var config *metricd.ConfigError
	if errors.As(err, &config) {
		return usagef("%s %s: %w", flagOf[config.Field], config.Value, config.Err)
	}
	var listen *metricd.ListenError
	if !errors.As(err, &listen) {
		return err
	}
	if listen.Field == "Admin" && !errors.As(err, new(*net.OpError)) || strings.HasPrefix(listen.Addr, "unix:") {
		return fmt.Errorf("%s %s: %w", flagOf[listen.Field], listen.Addr, listen.Err)
	}
	for _, other := range []struct{ field, addr string }{{"Listen", cfg.Listen}, {"HTTP", cfg.HTTP}, {"Admin", cfg.Admin}} {
		if other.field != listen.Field && sameAddr(other.addr, listen.Addr) {
			return usagef("%s and %s are both %s: each needs an address of its own", flagOf[other.field], flagOf[listen.Field], listen.Addr)
		}
	}
	return listenError(context.Background(), listen.Err, flagOf[listen.Field], listen.Addr, cfg.Listen, cfg.HTTP, cfg.Admin, cfg.Graphite)
}

// sameAddr says whether two TCP addresses can't be listened on both.
func sameAddr(a, b string) bool {
	x, errX := net.ResolveTCPAddr("tcp", a)
	y, errY := net.ResolveTCPAddr("tcp", b)
	if errX != nil || errY != nil || x.Port != y.Port || x.Port == 0 {
		return false
	}
	anyX, anyY := x.IP == nil || x.IP.IsUnspecified(), y.IP == nil || y.IP.IsUnspecified()
	return anyX || anyY || x.IP.Equal(y.IP)
}

// warnBeyond logs, at most once, to what strangers can connect without a password, and once that passwords can be read on the way.
func warnBeyond(log *slog.Logger, s *metricd.Server) {
	tls, auth := s.HTTPSecurity()
	var open, instead []string
	for _, l := range []struct {
		addr    net.Addr
		instead string
	}{
		{s.Addr(), "--listen " + metricd.DefaultListen},
		{s.HTTPAddr(), "--http " + metricd.DefaultHTTP + " or --web.config.file FILE with passwords"},
		{s.GraphiteAddr(), "--graphite 127.0.0.1:2003"},
	} {
		tcp, ok := l.addr.(*net.TCPAddr)
		if !ok || tcp.IP.IsLoopback() {
			continue
		}
		if l.addr != s.HTTPAddr() || !auth {
			open, instead = append(open, l.addr.String()), append(instead, l.instead)
		} else if !tls {
			log.Warn("passwords for HTTP can be read on their way here: add tls_server_config to the file of --web.config.file", "addr", l.addr.String())
		}
	}
	if len(open) > 0 {
		log.Warn("listening beyond this machine: whoever can connect can read and write, there are no passwords; keep it behind a firewall, or use "+strings.Join(instead, ", "), "addr", strings.Join(open, " "))
	}
}
