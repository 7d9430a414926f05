package storage

// Watcher is what a Store also is if it can tell which series get samples while somebody looks. Its methods are safe for concurrent use.
type Watcher interface {
	// Watch begins to count the rows that are taken, by series. end stops that and returns the series that got most, at most so
	// many, the busiest first; another call of end returns nothing. Until end is called, appends pay for the counting, next to nothing each: where
	// there are many rows only some are looked at. So whoever watches does it for seconds, and few do at once.
	Watch() (end func(most int) Busiest)
}

// Busiest says which series got most rows in a while.
type Busiest struct {
	Series []BusySeries
	// Exact says that all rows were counted. Else Rows are estimates, and series that were hardly seen are left out. For one that got
	// a hundredth of all rows the standard error is about 6 % of them, for a tenth 2 %.
	Exact bool
}

// BusySeries is a series, and how many rows it got.
type BusySeries struct {
	Key  string // as first put
	Rows int64
}
