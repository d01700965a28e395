//go:build !unix

package store

import (
	"errors"
	"fmt"
	"os"
)

// fileLock keeps other writers from a session where there are no advisory locks: by
// an open file beside it, which such systems refuse to remove. The file of a process
// that was killed is no longer open.
type fileLock struct {
	f *os.File
}

// lockFile takes the lock at path or says that somebody has it.
func lockFile(path string) (*fileLock, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", ErrCapturing, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return &fileLock{f: f}, nil
}

// release gives the lock up.
func (l *fileLock) release() error {
	return errors.Join(l.f.Close(), os.Remove(l.f.Name()))
}

// lockFree fails if somebody holds the lock at path, as far as that can be told
// without taking it: what is left of a process that was killed counts too.
func lockFree(path string) error {
	if _, err := os.Stat(path); err == nil {
		return ErrCapturing
	}
	return nil
}
