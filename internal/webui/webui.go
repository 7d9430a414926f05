// Package webui holds the page as it was built from web/ at the root of the repository, and serves it.
//
//	GET /              index.html; with an ETag, to be asked for anew each time
//	GET /assets/NAME   scripts and styles, whose names change with their contents: kept for a year
//
// HEAD is as GET. Answers are compressed by gzip for those who accept it. Every answer forbids the page, by Content-Security-Policy, to run or load
// anything from elsewhere.
//
// The files in dist are made by `npm run build` in web/ and never edited; scripts/test builds them again and compares.
package webui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"net/http"
	"path"
	"strconv"
	"sync"
)

//go:embed dist
var dist embed.FS

// policy is the Content-Security-Policy of every answer. Styles may be inline: the editor and the plots place things by them.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// types are the Content-Types of files, by the ends of their names. A system's own list (package mime) may be wrong.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
}

// file is one that is served. Safe for concurrent use.
type file struct {
	kind    string // Content-Type
	caching string // Cache-Control
	etag    string // of what is not compressed, in its quotes; empty: none, the name says it
	plain   []byte
	packed  func() []byte // gzip; made once, when it is first asked for
}

// Mount gives what serves the page to handle, with patterns as http.ServeMux has them. acceptsGzip says whether a request takes gzip.
func Mount(handle func(pattern string, serve http.HandlerFunc), acceptsGzip func(*http.Request) bool) {
	index := read("dist/index.html", "no-cache")
	sum := sha256.Sum256(index.plain)
	index.etag = `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	handle("GET /{$}", func(w http.ResponseWriter, r *http.Request) { index.serve(w, r, acceptsGzip(r)) })

	entries, err := dist.ReadDir("dist/assets")
	if err != nil {
		panic("BUG: a page without assets: " + err.Error())
	}
	assets := make(map[string]*file, len(entries))
	for _, e := range entries {
		assets[e.Name()] = read("dist/assets/"+e.Name(), "public, max-age=31536000, immutable")
	}
	handle("GET /assets/{name}", func(w http.ResponseWriter, r *http.Request) {
		f := assets[r.PathValue("name")]
		if f == nil {
			secure(w.Header())
			http.Error(w, "no such part of the page: load it anew", http.StatusNotFound)
			return
		}
		f.serve(w, r, acceptsGzip(r))
	})
}

// read returns a file of dist.
func read(name, caching string) *file {
	plain, err := dist.ReadFile(name)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	kind, ok := types[path.Ext(name)]
	if !ok {
		panic("BUG: a file of the page without a type: " + name)
	}
	return &file{kind: kind, caching: caching, plain: plain, packed: sync.OnceValue(func() []byte { return pack(plain) })}
}

func pack(plain []byte) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(plain)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		panic("BUG: " + err.Error()) // a buffer takes everything
	}
	return b.Bytes()
}

// secure tells a browser what the page may do.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}

// serve answers a GET or HEAD.
func (f *file) serve(w http.ResponseWriter, r *http.Request, gzipped bool) {
	h := w.Header()
	secure(h)
	h.Set("Cache-Control", f.caching)
	h.Add("Vary", "Accept-Encoding")
	etag, body := f.etag, f.plain
	if gzipped {
		body = f.packed()
		if etag != "" {
			etag = etag[:len(etag)-1] + `-gzip"` // other bytes, another tag (RFC 9110, 8.8.3.3)
		}
	}
	if etag != "" {
		h.Set("ETag", etag)
		if matches(r.Header.Values("If-None-Match"), etag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if gzipped {
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", f.kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // its error is the client's
	}
}
