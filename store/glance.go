package store

import (
	"os"
	"sync"
)

// glance sees whether anything was committed since it last looked, without asking
// SQLite, which would take locks and cost ten times as much: it reads the first
// bytes of the wal-index, which stand in the -shm file and change with every
// commit (sqlite.org/walformat.html section 2.2, the first copy of the header,
// which is written last). What has changed is for SQLite to say.
//
// The file is opened once and stays open as long as the session's connections:
// where locks belong to a process and not to a descriptor, closing it would drop SQLite's.
type glance struct {
	mu     sync.Mutex
	path   string
	file   *os.File
	closed bool
}

// mark is the header of a wal-index. Only whether two are the same means anything.
type mark [48]byte

// look returns the present mark; false where there is none to read, as in a file that
// is read without a -wal.
func (g *glance) look() (m mark, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return m, false
	}
	if g.file == nil {
		f, err := os.Open(g.path)
		if err != nil {
			return m, false
		}
		g.file = f
	}
	_, err := g.file.ReadAt(m[:], 0)
	return m, err == nil
}

func (g *glance) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	if g.file != nil {
		_ = g.file.Close() // it was only read
	}
}
