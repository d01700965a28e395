package link

import (
	"net/netip"
	"slices"
)

// Bounds of what waits for missing fragments.
const (
	maxFragmented     = 1024     // packets
	maxFragmentBytes  = 16 << 20 // of all of them
	maxFragmentParts  = 8192     // of one packet: the shortest is 8 bytes
	maxDatagram       = 64 << 10
	fragmentTimeoutNs = 60e9 // RFC 8200, section 4.5
)

type fragmentKey struct {
	src, dst netip.Addr
	id       uint32
	proto    uint8
}

// fragmentPart is one fragment: data belongs at offset of the packet's payload.
type fragmentPart struct {
	offset  int
	more    bool
	data    []byte
	missing int
}

// fragmented is a packet of which not all is here.
type fragmented struct {
	parts []fragmentPart // by offset
	bytes int
	since int64
}

// fragments puts fragmented packets together. Of two that overlap the first wins.
type fragments struct {
	now     int64
	waiting map[fragmentKey]*fragmented
	bytes   int
}

// add takes a fragment, whose data it copies, and returns the whole payload once it is here.
func (f *fragments) add(key fragmentKey, part fragmentPart) []byte {
	if part.missing > 0 || part.offset+len(part.data) > maxDatagram {
		f.drop(key) // it can never be whole
		return nil
	}
	w := f.waiting[key]
	if w != nil && f.now-w.since > fragmentTimeoutNs {
		f.drop(key)
		w = nil
	}
	if w == nil {
		f.makeRoom()
		w = &fragmented{since: f.now}
		if f.waiting == nil {
			f.waiting = map[fragmentKey]*fragmented{}
		}
		f.waiting[key] = w
	}
	if len(w.parts) >= maxFragmentParts || w.bytes+len(part.data) > 2*maxDatagram {
		f.drop(key)
		return nil
	}
	part.data = slices.Clone(part.data)
	at, _ := slices.BinarySearchFunc(w.parts, part.offset, func(p fragmentPart, offset int) int {
		if p.offset <= offset { // behind its equals: the first wins
			return -1
		}
		return 1
	})
	w.parts = slices.Insert(w.parts, at, part)
	w.bytes += len(part.data)
	f.bytes += len(part.data)
	whole := w.whole()
	if whole != nil {
		f.drop(key)
	}
	return whole
}

// whole is the payload, nil while something is missing.
func (w *fragmented) whole() []byte {
	end := 0
	for i := range w.parts {
		p := &w.parts[i]
		if p.offset > end {
			return nil
		}
		end = max(end, p.offset+len(p.data))
		if !p.more {
			return w.join(end)
		}
	}
	return nil
}

// join puts the first end bytes together, which are all there. Fragments that claim a
// place behind the last one are of no packet.
func (w *fragmented) join(end int) []byte {
	out := make([]byte, 0, end)
	for _, p := range w.parts {
		if p.offset >= end {
			break
		}
		if skip := len(out) - p.offset; skip < len(p.data) {
			out = append(out, p.data[skip:]...)
		}
	}
	return out[:min(end, len(out))]
}

func (f *fragments) drop(key fragmentKey) {
	if w := f.waiting[key]; w != nil {
		f.bytes -= w.bytes
		delete(f.waiting, key)
	}
}

// makeRoom drops what is too old, and anything where that is not enough.
func (f *fragments) makeRoom() {
	if len(f.waiting) < maxFragmented && f.bytes < maxFragmentBytes {
		return
	}
	for key, w := range f.waiting {
		if f.now-w.since > fragmentTimeoutNs {
			f.drop(key)
		}
	}
	for key := range f.waiting {
		if len(f.waiting) < maxFragmented && f.bytes < maxFragmentBytes {
			return
		}
		f.drop(key)
	}
}
