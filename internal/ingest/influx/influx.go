// Package influx takes samples in InfluxDB's line protocol over HTTP, as its versions 1 and 2 have it, into a storage.Store. It is
// made of http.Handlers for others to mount:
//
//	POST /write?precision=…           version 1; db, rp and consistency are ignored
//	POST /api/v2/write?precision=…    version 2; org and bucket are ignored
//	GET  /ping                        204, with the header X-Influxdb-Version
//	GET  /health                      {"status":"pass",…}, or 503
//	POST /query?q=…                   CREATE DATABASE does nothing, SHOW DATABASES shows one (query.go); GET for the latter
//
// # What becomes of a line
//
//	cpu,host=a usage_user=1.5,value=2i,ok=t,note="x" 1556813561098123456
//
//	cpu_usage_user{host="a"} 1.5    the name is measurement_field,
//	cpu{host="a"}            2      or the measurement alone where the field is called value
//	cpu_ok{host="a"}         1      integers (rounded to a float64), unsigned ones and booleans are numbers
//	                                strings are ignored, and counted
//
// Keys are spelled by package storage, with tags sorted. The time is in nanoseconds, or as precision says (n, ns, u, us, ms, s, m, h; either version),
// and is rounded down to milliseconds, that is, into the past; no time is now. Lines that only hold strings are no error.
//
// # Answers
//
// An answer comes when what was taken is as durable as the store promises:
//
//	204  all was stored
//	400  partial write: line 3: …  dropped=N     N lines were not stored, or not wholly, and never will be; the others are stored
//	413  the body is longer than MaxBody, compressed or not; what came before is stored
//	415  Content-Encoding is not gzip
//	503  the store takes nothing for now, or never again, the body could not be read, or too many long lines come at once; with Retry-After
//
// To send a body again does no harm. Telegraf (plugins/outputs/influxdb/http.go and influxdb_v2/http.go) drops what is answered
// with 400, tries what is answered with 503 again, and cuts in two what is answered with 413, if it speaks version 2. Version 1 of it looks into the texts, too:
// there is no "partial write" in a 503, and no "database not found" in a 400. Errors are JSON: {"error":…} in version 1,
// {"code":…,"message":…} in version 2.
//
// # Lines that are wrong
//
// Every line is taken or dropped by itself. Since a string may hold line ends, a quote that is never closed could take the lines behind it with it. So where a line with such a string turns out
// wrong behind it, the lines are read one by one (entries.go). The syntax is read by InfluxData's own decoder, github.com/influxdata/line-protocol/v2.
package influx

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"metricd/internal/ingest/body"
	"metricd/internal/storage"
)

// Defaults of Config.
const (
	DefaultMaxBody = 64 << 20
	DefaultMaxKey  = 4096
)

// Config says how a Handler is to be. Store is needed; zero values elsewhere stand for the defaults.
type Config struct {
	Store storage.Store

	MaxBody int64 // bytes of a body, decompressed; DefaultMaxBody
	MaxKey  int   // bytes of a key; DefaultMaxKey

	Version string           // what ping and health say
	Now     func() time.Time // the clock for lines without a time; nil: time.Now
}

// Stats counts what a Handler did since it was made.
type Stats struct {
	Writes  int64         // requests to write
	Failed  map[int]int64 // of these, answered with an error, by its status; all statuses are there
	Bytes   int64         // of bodies, decompressed
	Lines   int64         // without blank ones and comments
	Dropped int64         // lines that were not stored, or not wholly, for good
	Samples int64         // taken by the store
	Strings int64         // fields that were ignored
}

// Handler answers requests. It is safe for concurrent use.
type Handler struct {
	cfg  Config
	free chan *work // those that remember series; others are made for one request

	shared atomic.Int64 // bytes of maxShared that are taken
	long   sync.Mutex   // held while an entry above shortEntry is decoded, and its rows are appended

	writes, bytes, lines, dropped, samples, strings atomic.Int64

	failed body.Failures
}

// remembering is how many requests at once may remember series for later ones.
const remembering = 4

// New returns a Handler.
func New(cfg Config) *Handler {
	if cfg.MaxBody <= 0 {
		cfg.MaxBody = DefaultMaxBody
	}
	if cfg.MaxKey <= 0 {
		cfg.MaxKey = DefaultMaxKey
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	h := &Handler{cfg: cfg, free: make(chan *work, remembering)}
	for range remembering {
		h.free <- newWork(true)
	}
	return h
}

// Handlers returns what answers, by patterns of http.ServeMux. Deadlines of bodies are for the caller to set; an error that a Body returns
// because of one is answered with 503.
func (h *Handler) Handlers() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"POST /write":        func(w http.ResponseWriter, r *http.Request) { h.write(w, r, version1) },
		"POST /api/v2/write": func(w http.ResponseWriter, r *http.Request) { h.write(w, r, version2) },
		"GET /ping":          h.ping,
		"GET /health":        h.health,
		"GET /query":         h.query,
		"POST /query":        h.query,
	}
}

// Stats returns the counters.
func (h *Handler) Stats() Stats {
	s := Stats{
		Writes:  h.writes.Load(),
		Failed:  h.failed.ByStatus(),
		Bytes:   h.bytes.Load(),
		Lines:   h.lines.Load(),
		Dropped: h.dropped.Load(),
		Samples: h.samples.Load(),
		Strings: h.strings.Load(),
	}
	return s
}
