package documents

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
	"testing"

	"metricd/internal/storage"
)

var ours = Options{Identity: [16]byte{1, 2, 3}}

func (o *Options) encode(info storage.DocumentInfo, data []byte) []byte {
	return append(o.appendHeader(nil, info, data), data...)
}

// resealed returns a file with bytes replaced from an offset on, and the checksum of its header made to match.
func resealed(b []byte, at int, with []byte) []byte {
	b = bytes.Clone(b)
	copy(b[at:], with)
	n := min(int(binary.BigEndian.Uint32(b[12:])), len(b)-headerLen)
	crc := crc32.Update(crc32.Checksum(b[:headerLen-4], castagnoli), castagnoli, b[headerLen:headerLen+n])
	binary.BigEndian.PutUint32(b[headerLen-4:], crc)
	return b
}

// TestFormat holds the bytes of a file, which others have on their disks.
func TestFormat(t *testing.T) {
	info := storage.DocumentInfo{Name: "é", Version: 0x1122334455667788, Size: 2, Modified: 1150864247005}
	const want = "metricd\n" + "\x00\x00\x00\x01" + "\x00\x00\x00\x02" + "\x01\x02\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
		"\x11\x22\x33\x44\x55\x66\x77\x88" + "\x00\x00\x01\x0b\xf4\xda\xc8\xdd" + "\x00\x00\x00\x02" + "\x29\x7b\xd0\xaa" + "\xcf\x29\x5f\xf2" + "é" + "{}"
	got := ours.encode(info, []byte("{}"))
	if string(got) != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if h, data, err := ours.decode(got, "é"); err != nil || h != info || string(data) != "{}" {
		t.Errorf("got %+v, %q, %v", h, data, err)
	}
}

// TestDecodeRefuses: what is not as it was written says so.
func TestDecodeRefuses(t *testing.T) {
	good := ours.encode(storage.DocumentInfo{Name: "a", Version: 7}, []byte("data"))
	for want, b := range map[string][]byte{
		"cut short at byte 0":                          {},
		"cut short at byte 59":                         good[:59],
		"no name has 1 bytes there":                    good[:60],
		"it has 64 bytes, not 65":                      good[:64],
		"it has 66 bytes, not 65":                      append(bytes.Clone(good), 0),
		"no name has 81 bytes":                         resealed(append(bytes.Clone(good), make([]byte, 100)...), 12, []byte{0, 0, 0, 81}),
		"checksum of its header":                       append([]byte{'M'}, good[1:]...),
		"it begins with":                               resealed(good, 0, []byte("M")),
		"written by a newer version":                   resealed(good, 8, []byte{0, 0, 0, 2}),
		`it is the document "b" under another name`:    resealed(good, 60, []byte("b")),
		"belongs to another store":                     resealed(good, 16, []byte{9}),
		"its header says version 0":                    resealed(good, 32, make([]byte, 8)),
		"and 1048577 bytes":                            resealed(good, 48, []byte{0, 16, 0, 1}),
		"it has 65 bytes, not 66":                      resealed(good, 48, []byte{0, 0, 0, 5}),
		"the checksum of its data":                     append(bytes.Clone(good[:64]), 'A'),
		"the checksum of its data, at byte 52, does n": resealed(good, 52, []byte{0, 0, 0, 0}),
	} {
		_, _, err := ours.decode(b, "a")
		if err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, ErrDamaged) == errors.Is(err, errNewer) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for _, o := range []Options{{}, ours} { // where one of them is not known, it does not matter
		unknown := Options{}
		if _, _, err := o.decode(unknown.encode(storage.DocumentInfo{Name: "a", Version: 7}, nil), "a"); err != nil {
			t.Error(err)
		}
		if _, _, err := unknown.decode(o.encode(storage.DocumentInfo{Name: "a", Version: 7}, nil), "a"); err != nil {
			t.Error(err)
		}
	}
}

// FuzzDecode: what is taken for a document encodes to the same bytes.
func FuzzDecode(f *testing.F) {
	f.Add(ours.encode(storage.DocumentInfo{Name: "a", Version: 7, Modified: -1}, []byte("data")), "a", true)
	f.Add(ours.encode(storage.DocumentInfo{Name: "", Version: 1}, nil), "", false)
	f.Fuzz(func(t *testing.T, b []byte, name string, seal bool) {
		if seal && len(b) >= headerLen {
			b = resealed(b, 0, []byte(magic))
		}
		info, data, err := ours.decode(b, name)
		if err != nil {
			return
		}
		o := ours
		o.Identity = [16]byte(b[16:])
		if info.Size != int64(len(data)) || info.Name != name || !bytes.Equal(o.encode(info, data), b) {
			t.Errorf("%x reads as %+v and %q", b, info, data)
		}
	})
}

// FuzzFileName: names of documents and of their files stand for each other, and no file gets out of its directory.
func FuzzFileName(f *testing.F) {
	for _, name := range []string{"a", "My Board", "%61", "../x", "ü", "a.doc", strings.Repeat("%", storage.MaxDocumentName)} {
		f.Add(name)
		f.Add(fileName(name))
	}
	f.Add("%4") // cut
	f.Add("%2E.doc")
	f.Fuzz(func(t *testing.T, text string) {
		if storage.CheckDocumentName(text) == nil {
			file := fileName(text)
			if name, ok := parseFileName(file); !ok || name != text || len(file)+len(tempSuffix) > 255 {
				t.Errorf("%q is in %q, which is of %q, %v", text, file, name, ok)
			}
			if strings.ContainsAny(strings.TrimSuffix(file, docSuffix), "./\\\x00 ") || strings.ToLower(file) != file {
				t.Errorf("%q is in %q", text, file)
			}
		}
		if name, ok := parseFileName(text); ok && (fileName(name) != text || storage.CheckDocumentName(name) != nil) {
			t.Errorf("%q is of %q, which is in %q", text, name, fileName(name))
		}
	})
}
