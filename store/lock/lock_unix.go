//go:build unix

package lock

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Lock keeps other writers, in this and in other processes, from a session.
// It is a lock on an open file beside the session: the kernel drops it when its
// process dies, however that happens. (A lock on the session itself would mix with
// SQLite's own.)
type Lock struct {
	f *os.File
}

// Take takes the lock of the session at path, or fails with [ErrCapturing] and says who has it.
func Take(path string) (*Lock, error) {
	path += Suffix
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		l := &Lock{f: f}
		switch current, err := l.take(); {
		case err != nil:
			return nil, errors.Join(err, f.Close())
		case current:
			return l, nil
		}
		// The holder before us removed the file between our open and our lock.
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
}

// take locks the file. current is false if the locked file is no longer the one
// at its path, so that the lock means nothing.
func (l *Lock) take() (current bool, err error) {
	err = unix.Flock(int(l.f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return false, fmt.Errorf("%w%s", ErrCapturing, l.holder())
	case err != nil:
		return false, fmt.Errorf("lock %s: %w", l.f.Name(), err)
	}
	mine, err := l.f.Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Stat(l.f.Name())
	if errors.Is(err, os.ErrNotExist) || err == nil && !os.SameFile(mine, there) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_ = l.f.Truncate(0) // who holds it is only told, the lock does not depend on it
	_, _ = l.f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return true, nil
}

// holder names the process that wrote the file, for a person.
func (l *Lock) holder() string {
	var b [20]byte
	n, _ := l.f.ReadAt(b[:], 0)
	if pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n]))); err == nil {
		return fmt.Sprintf(" (process %d)", pid)
	}
	return ""
}

// Release gives the lock up. The file goes first: once unlocked it may be
// somebody else's.
func (l *Lock) Release() error {
	return errors.Join(os.Remove(l.f.Name()), l.f.Close())
}

// Free fails with [ErrCapturing] if somebody holds the lock of the session at path. It makes
// no file.
func Free(path string) error {
	f, err := os.Open(path + Suffix)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	l := &Lock{f: f}
	err = unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("%w%s", ErrCapturing, l.holder())
	}
	return err
}
