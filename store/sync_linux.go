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

// dropCached writes n bytes of f from off on to the disk and takes them out of the
// system's cache. Where that does not work they stay, which does no harm.
func dropCached(f *os.File, off, n int64) {
	const write = unix.SYNC_FILE_RANGE_WAIT_BEFORE | unix.SYNC_FILE_RANGE_WRITE | unix.SYNC_FILE_RANGE_WAIT_AFTER
	if err := unix.SyncFileRange(int(f.Fd()), off, n, write); err == nil {
		_ = unix.Fadvise(int(f.Fd()), off, n, unix.FADV_DONTNEED)
	}
}
