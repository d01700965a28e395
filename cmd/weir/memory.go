package main

import (
	"os"
	"runtime/debug"
)

// What the Go heap may take before the collector works harder. SQLite's caches,
// 16 MB, and the program itself are beside it; together they keep a session of a
// million flows under 100 MB and one of ten million under 160 MB. A list in another
// order than that of arrival takes 4 bytes a flow, and for a moment there are two.
const (
	heapBase    = 28 << 20
	heapCapture = 20 << 20 // the same for a capture, whose writer has a cache as well
	heapPerFlow = 8
	heapPerByte = 1 // of what is not on disk yet, of a capture whose disk is slow
)

// boundHeap bounds the Go heap for a session of so many flows that is looked at; it is
// called again and again while there come more.
func boundHeap(flows uint64) { limitHeap(heapBase + heapPerFlow*int64(flows)) }

// boundCapture is boundHeap for a session that is captured into, with so many bytes
// that wait to be written.
func boundCapture(flows uint64, queued int64) {
	limitHeap(heapCapture + heapPerFlow*int64(flows) + heapPerByte*queued)
}

// limitHeap sets the soft limit of the Go heap. It makes garbage smaller, never the
// program stop; GOMEMLIMIT, where set, wins.
func limitHeap(bytes int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(bytes)
	}
}
