package documents

import (
	"fmt"
	"strconv"
	"strings"

	"metricd/internal/storage"
)

// The name of a file is that of its document, with docSuffix: a-z, 0-9, '-' and '_' as they are, any other byte as %xx, in lower case. So it is readable, no two
// documents have one file where the file system knows no upper case, and the longest, of 80 bytes, is below the usual limit of 255.
const (
	docSuffix  = ".doc"
	tempSuffix = ".new" // behind docSuffix
)

// fileName returns the name of the file of a document.
func fileName(name string) string {
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String() + docSuffix
}

// parseFileName returns the name of the document in a file of this name, and whether there can be one.
func parseFileName(file string) (string, bool) {
	text, ok := strings.CutSuffix(file, docSuffix)
	var name []byte
	for ok && text != "" {
		c, n := text[0], 1
		if c == '%' {
			n = min(3, len(text))
			hex, err := strconv.ParseUint(text[1:n], 16, 8)
			if err != nil {
				return "", false
			}
			c = byte(hex)
		}
		name, text = append(name, c), text[n:]
	}
	// Only the spelling that fileName gives: no two files are of one document.
	return string(name), ok && fileName(string(name)) == file && storage.CheckDocumentName(string(name)) == nil
}

// parse returns the name of the document in a file, or in one that was never finished; empty for a file that is none of ours. An error says that it is none
// though it is called one.
func (o *Options) parse(file string) (name string, unfinished bool, err error) {
	doc, unfinished := strings.CutSuffix(file, tempSuffix)
	name, ok := parseFileName(doc)
	switch {
	case ok:
		return name, unfinished, nil
	case strings.HasSuffix(file, docSuffix):
		return "", false, fmt.Errorf("%s is no document of metricd, since none has a file of that name, and left alone: move it away", o.FS.PathJoin(o.Dir, file))
	}
	return "", false, nil
}

// path returns the path of the file of a document.
func (o *Options) path(name string) string { return o.FS.PathJoin(o.Dir, fileName(name)) }
