//go:build !unix

package lock

import (
	"errors"
	"fmt"
	"os"
)

// Lock keeps other writers from a session where there are no advisory locks: by
// an open file beside it, which such systems refuse to remove. The file of a process
// that was killed is no longer open.
type Lock struct {
	f *os.File
}

// Take takes the lock of the session at path, or fails with [ErrCapturing].
func Take(path string) (*Lock, error) {
	path += Suffix
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", ErrCapturing, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return &Lock{f: f}, nil
}

// Release gives the lock up.
func (l *Lock) Release() error {
	return errors.Join(l.f.Close(), os.Remove(l.f.Name()))
}

// Free fails if somebody holds the lock of the session at path, as far as that can be told
// without taking it: what is left of a process that was killed counts too.
func Free(path string) error {
	if _, err := os.Stat(path + Suffix); err == nil {
		return ErrCapturing
	}
	return nil
}
