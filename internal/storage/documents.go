package storage

import (
	"context"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Bounds of documents, all inclusive.
const (
	MaxDocument     = 1 << 20 // bytes of data
	MaxDocuments    = 1000    // in a store
	MaxDocumentName = 80      // bytes
)

// Version is one content of one document. It is never given to another content, not even after the document was deleted and made
// anew, or the store went back to a backup; so it has no order. The zero value stands for no document.
type Version uint64

// DocumentInfo is what is known of a document without its data.
type DocumentInfo struct {
	Name     string
	Version  Version
	Size     int64 // of the data, bytes
	Modified int64 // when this version was put, by the clock of the store: milliseconds since the Unix epoch
	Err      error // why its data can't be read, as far as that is known; then Size and Modified may be 0
}

// Documents keeps small texts whole, by name, such as the boards of the page; it is what a Store also is if it can. They are no samples: no retention, no
// limit on series and no Delete of the Store meets them. Who changes one says which version of it he has seen, so that of two at once
// exactly one wins. Its methods are safe for concurrent use, and end with the Store as those do: by ErrClosed or ErrFailed.
//
// What a call returns or lists is durable: on stable storage, whatever the Store was told about the durability of samples. After an error
// other than those named here (one of the file system, or of a context that was done in the middle) a change may have happened or not, but never by half.
type Documents interface {
	// ListDocuments returns all documents, by ascending names.
	ListDocuments(ctx context.Context) ([]DocumentInfo, error)

	// GetDocument returns a document. The data are the caller's. ErrNoDocument: there is none. If there is one and it can't be read, the error says why, and
	// the info has the version by which it can still be replaced or deleted.
	GetDocument(ctx context.Context, name string) (DocumentInfo, []byte, error)

	// PutDocument makes or replaces a document, and returns its version. expected is the version that it replaces; 0: there must be none
	// yet. The data stay the caller's. Nothing has changed after ErrVersion, ErrDocumentName, ErrDocumentSize, ErrDocumentLimit,
	// ErrMemoryLimit and ErrReadOnly.
	PutDocument(ctx context.Context, name string, data []byte, expected Version) (Version, error)

	// DeleteDocument deletes a document that has the version expected. Nothing has changed after ErrNoDocument, ErrVersion,
	// ErrDocumentName and ErrReadOnly.
	DeleteDocument(ctx context.Context, name string, expected Version) error
}

// Errors of Documents on which callers branch.
var (
	// ErrNoDocument: there is no document of that name.
	ErrNoDocument = errors.New("no such document")
	// ErrVersion: the document is not the version expected: someone else changed it, made it or deleted it.
	ErrVersion = errors.New("not the version expected")
	// ErrDocumentName: no document can have that name.
	ErrDocumentName = errors.New("invalid name of a document")
	// ErrDocumentSize: it is larger than MaxDocument.
	ErrDocumentSize = errors.New("document is too large")
	// ErrDocumentLimit: there are MaxDocuments already.
	ErrDocumentLimit = errors.New("limit of documents reached")
)

// CheckDocumentName says what is wrong with the name of a document: it is 1 to MaxDocumentName bytes of UTF-8 without control characters, and neither . nor ..,
// which are no part of a URL. Upper and lower case differ. The error wraps ErrDocumentName.
func CheckDocumentName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: it is empty", ErrDocumentName)
	case len(name) > MaxDocumentName:
		return fmt.Errorf("%w: it has %d bytes, and %d is the most", ErrDocumentName, len(name), MaxDocumentName)
	case name == ".", name == "..":
		return fmt.Errorf("%w: %q is no part of a URL", ErrDocumentName, name)
	case !utf8.ValidString(name):
		return fmt.Errorf("%w: %q is not UTF-8", ErrDocumentName, name)
	}
	for _, r := range name {
		if unicode.IsControl(r) {
			return fmt.Errorf("%w: %q has a control character", ErrDocumentName, name)
		}
	}
	return nil
}

// CheckDocumentVersion says whether a change that expects one version of a document may be made where it has another; 0: there is none. The error wraps ErrVersion.
func CheckDocumentVersion(name string, has, expected Version) error {
	switch {
	case has == expected:
		return nil
	case has == 0:
		return fmt.Errorf("%w: there is no %q any more, or there never was", ErrVersion, name)
	case expected == 0:
		return fmt.Errorf("%w: there is a %q already", ErrVersion, name)
	}
	return fmt.Errorf("%w: %q was changed since: it is version %016x now, not %016x", ErrVersion, name, uint64(has), uint64(expected))
}
