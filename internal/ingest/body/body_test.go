package body

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func zip(b []byte) []byte {
	return zipped(b, gzip.DefaultCompression)
}

func zipped(b []byte, level int) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, level)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func TestReadGzip(t *testing.T) {
	const limit = 1 << 20
	text := bytes.Repeat([]byte("put a 1 1\n"), 10_000)
	whole := zip(text)
	wrong := bytes.Clone(whole)
	wrong[len(wrong)-5] ^= 1 // of the checksum
	cases := map[string]struct {
		body   []byte
		status int // 0: it is text
	}{
		"good":             {whole, 0},
		"two members":      {append(zip(text[:100]), zip(text[100:])...), 0},
		"a bomb":           {zip(make([]byte, limit+1)), http.StatusRequestEntityTooLarge},
		"too large itself": {zipped(make([]byte, limit), gzip.NoCompression), http.StatusRequestEntityTooLarge},
		"none":             {nil, http.StatusBadRequest},
		"cut":              {whole[:len(whole)-3], http.StatusBadRequest},
		"cut early":        {whole[:5], http.StatusBadRequest},
		"not gzip":         {text, http.StatusBadRequest},
		"checksum":         {wrong, http.StatusBadRequest},
		"rubbish":          {append(bytes.Clone(whole[:10]), bytes.Repeat([]byte{0xff}, 100)...), http.StatusBadRequest},
	}
	var p Pool
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for _, in := range []io.Reader{bytes.NewReader(c.body), io.MultiReader(bytes.NewReader(c.body))} { // the second: of unknown length
				b := p.New()
				came, err := b.ReadGzip(httptest.NewRequest("POST", "/", in), limit)
				var e *Error
				switch {
				case c.status == 0:
					if err != nil || !bytes.Equal(b.B, text) || came != int64(len(c.body)) {
						t.Errorf("%d bytes of %d, %v", len(b.B), came, err)
					}
				case !errors.As(err, &e) || e.Status != c.status:
					t.Errorf("%v, want %d", err, c.status)
				}
				b.Release()
			}
			if n := p.Taken.Load(); n != 0 {
				t.Errorf("%d bytes are still taken", n)
			}
		})
	}
}

// TestShared: what is above Own is refused when all of Shared is taken, and given back.
func TestShared(t *testing.T) {
	var p Pool
	p.Taken.Store(Shared - 100)
	for size, status := range map[int]int{Own / 2: 0, 2 * Own: http.StatusServiceUnavailable} {
		for _, compressed := range []bool{false, true} {
			b, text := p.New(), make([]byte, size)
			var err error
			if compressed {
				_, err = b.ReadGzip(httptest.NewRequest("POST", "/", bytes.NewReader(zip(text))), 32<<20)
			} else {
				err = b.Read(httptest.NewRequest("POST", "/", bytes.NewReader(text)), 32<<20)
			}
			var e *Error
			if status == 0 && err != nil || status != 0 && (!errors.As(err, &e) || e.Status != status) {
				t.Errorf("%d bytes, compressed %v: %v, want %d", size, compressed, err, status)
			}
			b.Release()
		}
	}
	if n := p.Taken.Load(); n != Shared-100 {
		t.Errorf("%d bytes are taken, want %d", n, Shared-100)
	}
}
