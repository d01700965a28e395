package extsort

import (
	"slices"
	"sync/atomic"
)

// blockSize is how much of a stream goes to the file at a time. There is a block
// under way for each bucket and shard.
const blockSize = 8 << 10

// stream is what one shard adds to one bucket: bytes, in blocks of which all but
// the last are full.
type stream struct {
	sealed []block
	open   []byte
	n      int // records
}

// block is in memory, or in the file if data is nil.
type block struct {
	data   []byte
	offset int64
}

// storage is where the streams of a sorter are: in memory up to a limit.
type storage struct {
	spill
	limit int64 // bytes in memory
	held  atomic.Int64
}

// append adds bytes to a stream.
func (st *storage) append(s *stream, p string) error {
	if s.open == nil {
		st.held.Add(blockSize)
	}
	for len(p) > blockSize-len(s.open) {
		n := blockSize - len(s.open)
		s.open = append(s.open, p[:n]...)
		p = p[n:]
		if err := st.seal(s); err != nil {
			return err
		}
	}
	s.open = append(s.open, p...)
	return nil
}

// seal ends the open block of a stream, and begins another.
func (st *storage) seal(s *stream) error {
	if st.held.Load()+blockSize <= st.limit {
		st.held.Add(blockSize)
		s.sealed = append(s.sealed, block{data: s.open})
		s.open = make([]byte, 0, blockSize)
		return nil
	}
	offset, err := st.write(s.open)
	s.sealed = append(s.sealed, block{offset: offset})
	s.open = s.open[:0]
	return err
}

// size is the length of a stream in bytes.
func (s *stream) size() int { return len(s.sealed)*blockSize + len(s.open) }

// each calls f with the blocks of a stream, in order, and forgets them unless they
// are to be kept. The bytes are valid during the call only.
func (st *storage) each(s *stream, keep bool, f func(p []byte) error) error {
	var room []byte
	for i, b := range s.sealed {
		p := b.data
		if !keep {
			s.sealed[i] = block{}
		}
		if p == nil {
			if room == nil {
				room = make([]byte, blockSize)
			}
			if err := st.read(room, b.offset); err != nil {
				return err
			}
			p = room
		}
		if err := f(p); err != nil {
			return err
		}
	}
	open := s.open
	if !keep {
		*s = stream{}
	}
	if len(open) == 0 {
		return nil
	}
	return f(open)
}

// load appends all of a stream to p.
func (st *storage) load(p []byte, s *stream) ([]byte, error) {
	p = slices.Grow(p, s.size())
	err := st.each(s, false, func(block []byte) error {
		p = append(p, block...)
		return nil
	})
	return p, err
}
