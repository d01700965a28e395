package main

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// rate turns a growing count into a number a second, smoothed over the time
// between two looks at it.
type rate struct {
	mu    sync.Mutex
	count uint64
	at    time.Time
	value float64
}

// update takes the present count and returns the rate since the last look.
func (r *rate) update(count uint64) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	elapsed := now.Sub(r.at).Seconds()
	switch {
	case r.at.IsZero():
		r.count, r.at = count, now
	case elapsed >= 0.5:
		r.value = float64(count-min(count, r.count)) / elapsed
		r.count, r.at = count, now
	}
	return r.value
}

// residentSet is the process's memory in bytes: what the system counts where it
// says so (Linux), else what the Go runtime has taken.
func residentSet() uint64 {
	if p, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := bytes.Fields(p); len(fields) > 1 {
			if pages, err := strconv.ParseUint(string(fields[1]), 10, 64); err == nil {
				return pages * uint64(os.Getpagesize())
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys - m.HeapReleased
}
