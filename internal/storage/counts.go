package storage

import "context"

// LabelCounter is what a Store also is if it knows how many series have each label without reading them. Its methods are
// safe for concurrent use.
type LabelCounter interface {
	// LabelCounts calls visit with each label that series have, and how many: by name, and for each name by value,
	// in no order. Series that ended not long ago may be counted. visit must not call the Store; texts are good for good. Its error is ctx's,
	// ErrClosed or ErrFailed.
	LabelCounts(ctx context.Context, visit func(name, value string, series int)) error
}
