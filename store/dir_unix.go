//go:build unix

package store

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// dirWritable reports whether files can be made in the directory of path.
func dirWritable(path string) bool {
	return unix.Access(filepath.Dir(path), unix.W_OK|unix.X_OK) == nil
}
