package lock

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// takeTurn locks the turnstile's byte until f is closed; false means that somebody
// else has it. The lock belongs to the open file (fcntl(2), F_OFD_SETLK), so that two
// sessions of one process are in each other's way like two processes. Where there
// are no such locks everybody has the turn.
func takeTurn(f *os.File) bool {
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{
		Type: unix.F_WRLCK, Whence: io.SeekStart, Start: turnByte, Len: 1,
	})
	return !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EACCES)
}
