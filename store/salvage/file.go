package salvage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Limits of what is read.
const (
	// MaxRow is the largest row that is put together, in bytes; larger ones are damage.
	MaxRow = 300 << 20
	// maxDepth bounds the height of a tree; SQLite's own limit is 20.
	maxDepth = 32
)

// ErrEmpty means that a file has not even one page.
var ErrEmpty = errors.New("nothing to read")

// Source is bytes to read from and how many there are.
type Source struct {
	io.ReaderAt
	Size int64 // bytes
}

// File is a damaged file being read.
type File struct {
	db, wal  Source
	pageSize int
	pages    uint32           // in the file, the -wal file taken into account
	frames   map[uint32]int64 // where in the -wal file the newest version of a page is
	back     *pointerMap      // nil: the file has none
	visited  []uint64         // a bit a page
	damage   Damage
	overflow []byte // holds an overflow page
}

// Damage counts what could not be read.
type Damage struct {
	Pages int // unreadable, or of no known kind where one was expected
	Cells int // on readable pages, contradicting themselves
	Links int // pointers to pages that are not there, or belong elsewhere
}

// Any reports whether there is some.
func (d Damage) Any() bool { return d != Damage{} }

// Open begins to read a file. The wal source may be empty (its ReaderAt nil); what of it is
// committed and unharmed is taken in. pageSize, in bytes, is believed where the file's header
// does not say a possible one. The error tells of a file without any page, or of a failed read.
func Open(db, wal Source, pageSize int) (*File, error) {
	f := &File{db: db, wal: wal, pageSize: pageSize}
	header := make([]byte, headerSize)
	n, err := db.ReadAt(header, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	vacuums := true
	if h, ok := parseHeader(header[:n]); ok {
		f.pageSize, vacuums = h.pageSize, h.autoVacuum
	}
	f.pages = pageCount(db.Size, f.pageSize)
	if err := f.readWAL(); err != nil {
		return nil, err
	}
	if f.pages == 0 {
		return nil, ErrEmpty
	}
	f.visited = make([]uint64, f.pages/64+1)
	f.overflow = make([]byte, f.pageSize)
	if vacuums {
		f.back = &pointerMap{f: f, buf: make([]byte, f.pageSize)}
	}
	return f, nil
}

// pageCount is how many pages size bytes hold, the last one perhaps in part.
func pageCount(size int64, pageSize int) uint32 {
	n := (size + int64(pageSize) - 1) / int64(pageSize)
	return uint32(min(n, 1<<32-2)) // SQLite's limit
}

// Damage is what could not be read so far.
func (f *File) Damage() Damage { return f.damage }

// Broken reports whether there may be pages that belong to a table and were not come to.
func (f *File) Broken() bool { return f.damage.Pages+f.damage.Links > 0 }

// Pages is the number of pages.
func (f *File) Pages() int { return int(f.pages) }

// header is what of the first 100 bytes is of use (section 1.3).
type header struct {
	pageSize   int
	autoVacuum bool
}

const (
	headerSize = 100
	magic      = "SQLite format 3\x00"
)

func parseHeader(p []byte) (h header, ok bool) {
	if len(p) < headerSize || !bytes.HasPrefix(p, []byte(magic)) {
		return h, false
	}
	if h.pageSize = int(binary.BigEndian.Uint16(p[16:])); h.pageSize == 1 {
		h.pageSize = 64 << 10
	}
	h.autoVacuum = binary.BigEndian.Uint32(p[52:]) != 0
	return h, h.pageSize >= 512 && h.pageSize&(h.pageSize-1) == 0
}

// read reads a page into buf; false if that is not there or cannot be read. A page
// that is there in part ends in zeros.
func (f *File) read(page uint32, buf []byte) bool {
	if page == 0 || page > f.pages {
		return false
	}
	from, off := f.db, int64(page-1)*int64(f.pageSize)
	if at, ok := f.frames[page]; ok {
		from, off = f.wal, at
	}
	if off >= from.Size {
		return false
	}
	n, err := from.ReadAt(buf, off)
	clear(buf[n:])
	return n > 0 && (err == nil || errors.Is(err, io.EOF))
}

// visit marks a page; false if it was marked before.
func (f *File) visit(page uint32) bool {
	if f.seen(page) {
		return false
	}
	f.visited[page/64] |= 1 << (page % 64)
	return true
}

func (f *File) seen(page uint32) bool { return f.visited[page/64]>>(page%64)&1 != 0 }
