package tcp

import (
	"bytes"
	"fmt"
)

// Budget is what all streams of a capture may hold.
type Budget struct {
	Left int64 // bytes of memory
	// Spill, if set, takes what is more than that, or more than one stream may hold.
	// Without one, or where it takes nothing any more, holes become gaps early.
	Spill Spill

	spilled int64 // bytes in Spill
}

// spillBelow is how much of a budget is for the places of what was spilled, in bytes.
const spillBelow = 8 << 20

// Spill keeps bytes where there is more room than in memory: in a file.
type Spill interface {
	// Keep takes p, and returns the place that it has from then on.
	Keep(p []byte) (place int64, err error)
	// Fetch fills p with what was kept at a place.
	Fetch(place int64, p []byte) error
	// Clear is told that nothing of what was kept is wanted any more.
	Clear()
}

// keep moves the data of a piece to the spill, and reports whether that took it.
func (b *Budget) keep(p *piece) bool {
	if b.Spill == nil || len(p.data) == 0 {
		return false
	}
	place, err := b.Spill.Keep(p.data)
	if err != nil {
		return false
	}
	p.place, p.kept, p.data = place, len(p.data), nil
	b.spilled += int64(p.kept)
	return true
}

// fetch gives a piece its data back.
func (b *Budget) fetch(p *piece) error {
	if p.kept == 0 {
		return nil
	}
	p.data = make([]byte, p.kept)
	if err := b.Spill.Fetch(p.place, p.data); err != nil {
		return fmt.Errorf("read back %d bytes of a TCP stream: %w", p.kept, err)
	}
	b.spilled -= int64(p.kept)
	if p.kept = 0; b.spilled == 0 {
		b.Spill.Clear()
	}
	return nil
}

// differ reports whether w, which waits, and p say different bytes for the same place.
func (b *Budget) differ(w, p *piece) bool {
	said := w.data
	if w.kept > 0 {
		said = make([]byte, w.kept)
		if b.Spill.Fetch(w.place, said) != nil {
			return false // whoever wants them will hear of it
		}
	}
	from := max(w.at, p.at)
	to := min(w.at+int64(len(said)), p.at+int64(len(p.data)))
	return from < to && !bytes.Equal(said[from-w.at:to-w.at], p.data[from-p.at:to-p.at])
}
