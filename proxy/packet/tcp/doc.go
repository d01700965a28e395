// Package tcp puts the segments of one direction of a TCP connection back into the
// order in which they were sent (RFC 9293), from a capture that may have lost some,
// seen some twice, or begun in the middle.
//
//	Push(segment) ─► in order: Data … ── hole ──► waits ─┬─ it is filled ─► Data …
//	                                                     └─ it never will be ─► Gap, Data …
//
// Nothing is guessed. A hole is a [Gap] when the other side acknowledged what was in
// it and it did not come for a while, when too much waits behind it, or at the end.
// Where bytes overlap, those that came first win; that they differed is told.
//
// What waits is bounded for each [Stream] and, through a [Budget], for all. A Stream
// is for one goroutine; it copies what has to wait.
package tcp
