package main

import (
	"os"
	"runtime/debug"
)

// What the Go heap may take before the collector works harder. SQLite's caches,
// 16 MB, are beside it; together they keep a session of a million flows under
// 100 MB. A view needs 12 bytes a flow, and twice that while it is sorted.
const (
	heapBase    = 40 << 20
	heapPerFlow = 24
	heapQueue   = 64 << 20 // a capture whose disk is slow
)

// boundHeap sets the soft limit of the Go heap for a session of so many flows. It
// makes garbage smaller, never the program stop; GOMEMLIMIT, where set, wins.
func boundHeap(flows uint64, capturing bool) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	limit := int64(heapBase + heapPerFlow*flows)
	if capturing {
		limit += heapQueue
	}
	debug.SetMemoryLimit(limit)
}
