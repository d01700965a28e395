package main

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
)

// maxOverflow bounds what one overflow takes of the disk, in bytes.
const maxOverflow = 4 << 30

// errOverflowFull is that an overflow has as much as it may have.
var errOverflowFull = errors.New("as much as may be is kept in the temporary file")

// overflow is a temporary file, for what waits behind missing bytes of a
// capture and is more than memory may hold. It is made when it is needed first. Its
// errors mean that it takes nothing: what then becomes of it is its user's matter.
type overflow struct {
	file *os.File
	end  int64
}

// Keep implements tcp.Spill.
func (s *overflow) Keep(p []byte) (int64, error) {
	if s.end+int64(len(p)) > maxOverflow {
		return 0, errOverflowFull
	}
	if s.file == nil {
		if err := s.open(); err != nil {
			return 0, err
		}
	}
	if _, err := s.file.WriteAt(p, s.end); err != nil {
		return 0, err
	}
	at := s.end
	s.end += int64(len(p))
	return at, nil
}

// open makes the file, on a disk rather than in memory where nobody said otherwise:
// /tmp often is memory.
func (s *overflow) open() (err error) {
	const pattern = "weir-import-*"
	if os.Getenv("TMPDIR") == "" {
		if f, err := os.CreateTemp("/var/tmp", pattern); err == nil {
			s.file = f
		}
	}
	if s.file == nil {
		if s.file, err = os.CreateTemp("", pattern); err != nil {
			return err
		}
	}
	if runtime.GOOS != "windows" {
		_ = os.Remove(s.file.Name()) // close tries again
	}
	return nil
}

// Fetch implements tcp.Spill.
func (s *overflow) Fetch(place int64, p []byte) error {
	_, err := s.file.ReadAt(p, place)
	return err
}

// Clear implements tcp.Spill. The file begins anew.
func (s *overflow) Clear() { s.end = 0 }

func (s *overflow) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if e := os.Remove(s.file.Name()); e != nil && !errors.Is(e, fs.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return err
}
