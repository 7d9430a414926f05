// Package storagetest is the contract of package storage as a test suite. An engine is
// right when it passes:
//
//	func TestContract(t *testing.T) {
//		storagetest.Run(t, storagetest.Engine{Open: func(t storagetest.T) storage.Store { … }})
//	}
//
// The suite knows nothing of any engine. Each check opens stores of its own; the last
// topics, Random, RandomLabels and RandomDocuments, compare the store with a plain map by random operations and shrink
// what fails (the -rapid flags of pgregory.net/rapid apply).
//
// What a test from outside can't see is left to the engine's own tests: that what was
// shown or acknowledged survives a crash, limits, retention, a full disk, a failed store.
package storagetest

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"metricd/internal/storage"
)

// T is what the suite and its engines use of a test; *testing.T and *rapid.T have it. For a
// directory, use os.MkdirTemp with Cleanup: what was registered in Open runs after the
// suite has closed the store.
type T interface {
	Helper()
	Name() string
	Context() context.Context
	Cleanup(f func())
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Failed() bool
}

// Engine says how to make the store under test.
type Engine struct {
	// Open returns an empty store without limits or retention. The suite closes it, at
	// times more than once.
	Open func(t T) storage.Store

	// Step, if not nil, is called between the steps of the checks, when nothing is under
	// way, and returns the store to go on with. It may force a flush and return s, or
	// close s and return another Store with the same content, in which case the suite
	// drops the old Appenders and expects the figures since Open to begin at 0.
	Step func(t T, s storage.Store) storage.Store

	// Without lists what the engine can't do. The zero value runs everything.
	Without Capabilities
}

// Capabilities are the promises that an engine may lack; what needs one is not run.
type Capabilities struct {
	// Order: series come in the order of their first appends, in each second life too.
	// Without it, any order will do.
	Order bool
	// ExactStats: every figure of Stats but the memory's is exact.
	ExactStats bool
	// AtomicDelete: a Delete whose context is done happens whole or not at all.
	AtomicDelete bool
	// Documents: the store is a storage.Documents, too.
	Documents bool
}

// check is one promise, tried on a store of its own.
type check struct {
	name string
	run  func(f *fixture)
}

// topic is a group of checks, one file each.
type topic struct {
	name   string
	checks []check
}

// topics returns what the engine has to pass.
func topics(without Capabilities) []topic {
	ts := []topic{
		{"Writes", writeChecks()},
		{"Values", valueChecks()},
		{"Refusals", refusalChecks()},
		{"Ranges", rangeChecks()},
		{"Keys", keyChecks()},
		{"Matchers", matcherChecks()},
		{"Labels", labelChecks()},
		{"Delete", deleteChecks()},
		{"Lives", lifeChecks()},
		{"Iterators", iteratorChecks()},
		{"Bulk", bulkChecks()},
		{"Stalled", stalledChecks()},
		{"Concurrency", concurrencyChecks()},
		{"Durability", durabilityChecks()},
		{"Close", closeChecks()},
		{"Context", contextChecks(without)},
	}
	if !without.Order {
		ts = append(ts, topic{"Order", orderChecks()})
	}
	if !without.ExactStats {
		ts = append(ts, topic{"Stats", statsChecks()})
	}
	if !without.Documents {
		ts = append(ts, topic{"Documents", documentChecks()})
	}
	return ts
}

// Run runs the suite, each check as a subtest Topic/Check.
func Run(t *testing.T, e Engine) {
	for _, topic := range topics(e.Without) {
		t.Run(topic.name, func(t *testing.T) {
			for _, c := range topic.checks {
				t.Run(c.name, func(t *testing.T) { c.run(newFixture(t, e)) })
			}
		})
	}
	t.Run("Random", func(t *testing.T) { random(t, e) })
	t.Run("RandomLabels", func(t *testing.T) { randomLabels(t, e) })
	if !e.Without.Documents {
		t.Run("RandomDocuments", func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { randomDocuments(t, e) })
		})
	}
}
