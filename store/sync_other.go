//go:build !linux

package store

import (
	"os"
)

// syncData makes what was written to f durable.
func syncData(f *os.File) error { return f.Sync() }

// dropCached would take bytes of f out of the system's cache, which only Linux is asked to do.
func dropCached(*os.File, int64, int64) {}
