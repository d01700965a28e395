// Package flowpb is what a flow is and how it is written down.
//
// A [Flow] is the head of one exchange: everything but its bodies and messages.
// [Encode] turns it into the blob that a session file keeps, [Decode] reads it
// back, and [Summarize] reduces it to the plain [Summary] that lists, sorts and
// cheap filters work on. The schema, with what every field means, is flow.proto;
// the generated code beside it is never edited.
//
// The package is not a store (bodies and rows are package store's) and not a
// parser (package proxy and its children make flows out of bytes; har and
// mitmdump, below, translate other people's files).
//
// Concurrency: there is no shared state. A Flow is a plain value; whoever
// changes one while another goroutine reads it needs a lock of their own.
//
// Invariants:
//   - Decode(Encode(f)) equals f, field numbers are never reused, and a blob of
//     any older version stays readable (testdata keeps one of each).
//   - Unknown fields and unknown enum values survive a round trip.
//   - Nothing here panics on hostile bytes: a blob that is not one is an error.
package flowpb
