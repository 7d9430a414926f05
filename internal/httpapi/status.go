package httpapi

import (
	"math"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"metricd/internal/promql"
)

// buildInfo tells which Prometheus this is to clients, who choose by version what they may ask for: the one whose engine answers. There
// are no "features": Grafana takes a server with some for Mimir.
func (s *Server) buildInfo(*http.Request, url.Values) (found, error) {
	return foundValue(struct {
		Version   string `json:"version"`
		Revision  string `json:"revision"`
		Branch    string `json:"branch"`
		BuildUser string `json:"buildUser"`
		BuildDate string `json:"buildDate"`
		GoVersion string `json:"goVersion"`
		Metricd   string `json:"metricd"` // our own version
	}{Version: promql.PrometheusVersion, GoVersion: runtime.Version(), Metricd: s.cfg.Version}), nil
}

// runtimeInfo tells about the process.
func (s *Server) runtimeInfo(*http.Request, url.Values) (found, error) {
	dir, err := os.Getwd()
	if err != nil {
		return found{}, err
	}
	host, err := os.Hostname()
	if err != nil {
		return found{}, err
	}
	memory := debug.SetMemoryLimit(-1)
	if memory == math.MaxInt64 {
		memory = 0
	}
	return foundValue(struct {
		StartTime           time.Time `json:"startTime"`
		CWD                 string    `json:"CWD"`
		Hostname            string    `json:"hostname"`
		ServerTime          time.Time `json:"serverTime"`
		ReloadConfigSuccess bool      `json:"reloadConfigSuccess"`
		LastConfigTime      time.Time `json:"lastConfigTime"`
		CorruptionCount     int64     `json:"corruptionCount"`
		GoroutineCount      int       `json:"goroutineCount"`
		GOMAXPROCS          int       `json:"GOMAXPROCS"`
		GOMEMLIMIT          int64     `json:"GOMEMLIMIT"`
		GOGC                string    `json:"GOGC"`
		GODEBUG             string    `json:"GODEBUG"`
		StorageRetention    string    `json:"storageRetention"`
		LineAddress         string    `json:"lineAddress"` // not Prometheus'
	}{
		StartTime: s.started.UTC(), CWD: dir, Hostname: host, ServerTime: s.cfg.Now().UTC(),
		ReloadConfigSuccess: true, LastConfigTime: s.started.UTC(),
		GoroutineCount: runtime.NumGoroutine(), GOMAXPROCS: runtime.GOMAXPROCS(0), GOMEMLIMIT: memory,
		GOGC: os.Getenv("GOGC"), GODEBUG: os.Getenv("GODEBUG"), StorageRetention: s.cfg.Flags["retention"],
		LineAddress: s.cfg.LineAddr,
	}), nil
}

// flags tells how the server was started.
func (s *Server) flags(*http.Request, url.Values) (found, error) {
	if s.cfg.Flags == nil {
		return foundData("{}"), nil
	}
	return foundValue(s.cfg.Flags), nil
}
