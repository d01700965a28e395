package salvage

import "encoding/binary"

// relation says what a page is to its parent: the types of pointer map entries
// (section 1.8).
type relation byte

const (
	unknown   relation = 0
	root      relation = 1
	free      relation = 2
	overflow1 relation = 3 // first of a chain; its parent has the cell
	overflowN relation = 4 // its parent is the one before
	child     relation = 5 // of a tree
)

// pointerMap is the way up: for each page its parent. It stands on pages of its own
// throughout the file, which may be damaged like others; one that holds an impossible entry is
// not believed at all.
type pointerMap struct {
	f      *File
	loaded uint32 // which map page is in buf
	good   bool   // whether it is believed
	buf    []byte
}

const (
	entrySize = 5
	lockByte  = 1 << 30
)

// mapPage is the page of the map that has the entry of page, and where in it.
func (m *pointerMap) mapPage(page uint32) (at uint32, off int) {
	span := uint32(m.f.pageSize/entrySize) + 1
	if at = (page-2)/span*span + 2; at == uint32(lockByte/m.f.pageSize)+1 {
		at++ // SQLite locks bytes there and keeps nothing on that page
	}
	return at, int(page-at-1) * entrySize
}

// lookup returns what is known of a page; unknown if nothing is.
func (m *pointerMap) lookup(page uint32) (relation, uint32) {
	if m == nil || page < 3 {
		return unknown, 0
	}
	at, off := m.mapPage(page)
	if at >= page {
		return unknown, 0
	}
	if m.loaded != at {
		m.loaded, m.good = at, m.f.read(at, m.buf) && m.plausible(at)
	}
	if !m.good {
		return unknown, 0
	}
	return relation(m.buf[off]), binary.BigEndian.Uint32(m.buf[off+1:])
}

// isMap reports whether a page is one of the map's own.
func (m *pointerMap) isMap(page uint32) bool {
	if m == nil || page < 2 {
		return false
	}
	at, _ := m.mapPage(page)
	return at == page
}

// plausible checks all entries of a map page for pages that exist.
func (m *pointerMap) plausible(at uint32) bool {
	for off := 0; off+entrySize <= len(m.buf); off += entrySize {
		if at+1+uint32(off/entrySize) > m.f.pages {
			break
		}
		kind, parent := relation(m.buf[off]), binary.BigEndian.Uint32(m.buf[off+1:])
		if kind == unknown || kind > child || parent > m.f.pages || (parent == 0) != (kind == root || kind == free) {
			return false
		}
	}
	return true
}

// agrees reports whether nothing speaks against page being kind to parent.
func (m *pointerMap) agrees(page uint32, kind relation, parent uint32) bool {
	k, p := m.lookup(page)
	return k == unknown || k == kind && p == parent
}

// climb returns the root of the tree that a page is in; 0 if that cannot be told,
// and false if the page is in none.
func (m *pointerMap) climb(page uint32) (top uint32, inTree bool) {
	for range maxDepth {
		kind, parent := m.lookup(page)
		switch kind {
		case root:
			return page, true
		case child:
			page = parent
		case unknown:
			return 0, true
		default:
			return 0, false
		}
	}
	return 0, true
}
