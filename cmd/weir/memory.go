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
	heapPerFlow = 8
	heapPerByte = 1 // of what is not on disk yet, of a capture whose disk is slow
)

// boundHeap sets the soft limit of the Go heap for a session of so many flows, and
// so many bytes that wait to be written; it is called again and again while there
// come more. It makes garbage smaller, never the program stop; GOMEMLIMIT, where
// set, wins.
func boundHeap(flows uint64, queued int64) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetMemoryLimit(int64(heapBase+heapPerFlow*flows) + heapPerByte*queued)
}
