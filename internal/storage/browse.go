package storage

import "context"

// Browser is what a Store also is if it can show its series by name without reading them, a page at a time. Names are cut into segments
// that end at a dot. A series without a name has the empty one. Its methods are safe for concurrent use; they see what was appended before
// they were called, and wait until that is durable. Series that retention has hidden don't count, but for those of which only a read would tell.
// Their errors are ctx's, ErrClosed or ErrFailed.
type Browser interface {
	// Children returns what comes next behind a prefix in the names that begin with it.
	Children(ctx context.Context, q ChildQuery) (Children, error)
	// Find returns series by name, those of a name in order of first append.
	Find(ctx context.Context, q FindQuery) (Finding, error)
	// Newest returns a time (ms) after which the series that key spells has no sample. Mostly it has one there; where samples were deleted it may
	// be too late. found says whether there is such a series.
	Newest(ctx context.Context, key string) (ms int64, found bool, err error)
}

// ChildQuery asks for segments.
type ChildQuery struct {
	Prefix string
	After  *string // only segments behind this one; nil: all
	Limit  int     // most segments, above 0
}

// Child is a segment behind a prefix.
type Child struct {
	Segment string // without its dot; may be empty
	Metric  int    // how many series have the name prefix+segment
	Below   int    // how many have a name that begins with prefix+segment and a dot
}

// Children are segments, ascending by bytes, each with a Metric or Below above 0.
type Children struct {
	List []Child
	More bool // there may be others behind the last one
}

// FindQuery asks for series.
type FindQuery struct {
	Prefix string // of names
	Exact  bool   // the name is Prefix
	// Words must all be found: in the name, or in a label as name=value. Case does not count: they and the texts are compared in lower case
	// (package strings).
	Words []string
	After *Position // only series behind this one; nil: all
	Limit int       // most series, above 0
}

// Position is where a series is among those that Find returns. It stays so for as long as the series exists, and others go before or behind it for good.
type Position struct {
	Name string
	ID   uint64 // in order of first append
}

// Found is a series.
type Found struct {
	Position
	Key string // as Series.Key
}

// Finding is what Find found.
type Finding struct {
	List  []Found
	Total int  // how many series match in all, before and behind List as well
	More  bool // there are some behind the last one
}
