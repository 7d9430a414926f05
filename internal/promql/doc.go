// Package promql answers PromQL from a storage.Store: Prometheus' own engine over an adapter. It is the only package that
// imports Prometheus, and no more of it than the engine, its parser and what those need; what others have to know of
// results is reachable through the aliases in value.go.
//
// # How a query goes
//
// Engine.Instant and Engine.Range give the expression to Prometheus' engine together with a queryable of their own. The
// engine waits for one of the slots (slots.go), parses, and asks the querier to Select each selector of the expression
// with the range of time that it needs. It collects all series of a set, then opens their iterators one after the other,
// some more than once; so the sets of the store stay open until the engine closes the querier. The result lies in memory
// until Result.Close.
//
// Options that change what expressions mean are those of Prometheus' server as it is by default, with one exception: names
// of any UTF-8 need no quotes where the grammar allows, so rate(palm.cpu[5m]) works beside rate({"palm.cpu"}[5m]).
//
// # Who may do what
//
// An Engine is safe for concurrent use. Everything below it belongs to the goroutine of one query: queryable, querier, sets,
// series and iterators. A Result belongs to the caller.
package promql
