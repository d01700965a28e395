package store

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncData makes what was written to f durable, without its times: a -wal file that
// is written over and over would need the file system's journal for nothing else.
func syncData(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); err != unix.EINTR {
			return err
		}
	}
}
