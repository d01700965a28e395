// Package filter is the language in which flows are chosen: `~d api & ~c 5xx`.
//
// [Parse] reads an expression into a tree of [Expr] nodes that know their place
// in the text and print themselves. [Match] decides one flow, looking at no more
// of it than the answer depends on. [NewPlan] splits an expression into a
// condition for SQL over the columns of a session, and what is left for Match.
// [Complete], [Explain] and [Reference] tell people about it.
//
// The operators, their meaning, help, completion and SQL are one table,
// fields_table.go. The language is mitmproxy's wherever that accepts an
// expression, and makes sense of most of what that refuses; [Reference] lists
// the differences. Regular expressions are package rex's.
//
// The package does not read sessions and runs no SQL: packages store and tui do,
// through [Plan] and [Subject].
//
// Concurrency: there is no shared state. An Expr, a Plan and its patterns never
// change once made and may be used from any number of goroutines.
//
// Invariants:
//   - Parse(e.String()) equals e, positions aside.
//   - For each flow, Plan.Where is true if Match is; if Plan.Exact, only if.
//   - No input panics, and the memory of a match does not grow with the body.
package filter
