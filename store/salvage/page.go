package salvage

import "encoding/binary"

// pageKind is the first byte of a b-tree page (section 1.6).
type pageKind byte

const (
	innerIndex pageKind = 0x02 // of a table WITHOUT ROWID
	innerTable pageKind = 0x05
	leafIndex  pageKind = 0x0a
	leafTable  pageKind = 0x0d
)

func (k pageKind) leaf() bool  { return k == leafIndex || k == leafTable }
func (k pageKind) known() bool { return k.leaf() || k == innerIndex || k == innerTable }

// treePage is a page of a tree.
type treePage struct {
	number uint32
	data   []byte // all of the page: cells are placed from its beginning
	kind   pageKind
	cells  []byte // their places, two bytes each
	right  uint32 // the last child of an inner page
}

// parsePage reads the header of a page of a tree; false if it is none.
func parsePage(number uint32, data []byte) (p treePage, ok bool) {
	start := 0
	if number == 1 {
		start = headerSize
	}
	h := data[start:]
	p = treePage{number: number, data: data, kind: pageKind(h[0])}
	size := 8
	if !p.kind.leaf() {
		size, p.right = 12, binary.BigEndian.Uint32(h[8:])
	}
	count := int(binary.BigEndian.Uint16(h[3:]))
	if !p.kind.known() || h[7] > 60 || size+2*count > len(h) {
		return p, false
	}
	p.cells = h[size : size+2*count]
	return p, true
}

// cell returns the bytes from where a cell begins to the page's end.
func (p *treePage) cell(i int) []byte {
	at := int(binary.BigEndian.Uint16(p.cells[2*i:]))
	if at < 8 || at >= len(p.data) {
		return nil
	}
	return p.data[at:]
}

func (p *treePage) count() int { return len(p.cells) / 2 }

// childOf is the left child of an inner page's cell.
func childOf(cell []byte) (page uint32, rest []byte, ok bool) {
	if len(cell) < 4 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint32(cell), cell[4:], true
}

// local is how many bytes of a payload of n stand in the cell (section 1.6).
func (k pageKind) local(n uint64, usable int) uint64 {
	u := uint64(usable)
	most, least := (u-12)*64/255-23, (u-12)*32/255-23
	if k == leafTable {
		most = u - 35
	}
	if n <= most {
		return n
	}
	if here := least + (n-least)%(u-4); here <= most {
		return here
	}
	return least
}

// row reads the row of a cell, and says how many bytes of the page that took. Of an inner
// page of an index it is given what follows the child.
func (f *File) row(p *treePage, cell []byte) (r Row, spent int, ok bool) {
	length, n := varint(cell)
	if n == 0 || length > MaxRow || length > uint64(f.pages)*uint64(f.pageSize) {
		return r, n, false
	}
	cell = cell[n:]
	if p.kind == leafTable {
		id, n := varint(cell)
		if n == 0 {
			return r, n, false
		}
		r.ID, cell = int64(id), cell[n:]
	}
	spent = n + int(p.kind.local(length, f.pageSize))
	payload, ok := f.payload(p, cell, length)
	if !ok {
		return r, spent, false
	}
	r.Values, ok = record(payload)
	return r, spent, ok
}

// payload puts together what of a payload stands in the cell and on overflow pages.
func (f *File) payload(p *treePage, cell []byte, length uint64) ([]byte, bool) {
	here := p.kind.local(length, f.pageSize)
	if here == length {
		if uint64(len(cell)) < length {
			return nil, false
		}
		return cell[:length], true
	}
	if uint64(len(cell)) < here+4 {
		return nil, false
	}
	out := append([]byte{}, cell[:here]...)
	next := binary.BigEndian.Uint32(cell[here:])
	for kind, parent := overflow1, p.number; uint64(len(out)) < length; kind = overflowN {
		if next == 0 || next > f.pages || f.seen(next) || !f.back.agrees(next, kind, parent) {
			f.damage.Links++
			return nil, false
		}
		if !f.visit(next) || !f.read(next, f.overflow) {
			f.damage.Pages++
			return nil, false
		}
		out = append(out, f.overflow[4:min(f.pageSize, 4+int(length-uint64(len(out))))]...)
		parent, next = next, binary.BigEndian.Uint32(f.overflow)
	}
	return out, true
}
