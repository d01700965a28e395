package salvage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
)

// The -wal file, section 4 of the file format: a header of 32 bytes, then frames of a
// header of 24 and a page. Each frame's checksum runs on from the one before, so that what
// follows damage is not believed; a frame with a size in it ends a transaction.
const (
	walHeader   = 32
	frameHeader = 24
	walMagic    = 0x377f0682 // the lowest bit says that checksums are big-endian
	walVersion  = 3007000
)

// readWAL finds the pages that committed transactions left in the -wal file.
func (f *File) readWAL() error {
	if f.wal.ReaderAt == nil || f.wal.Size < walHeader {
		return nil
	}
	h := make([]byte, walHeader)
	if _, err := f.wal.ReadAt(h, 0); err != nil {
		return fmt.Errorf("read the -wal file: %w", err)
	}
	sum := checksum{order: binary.LittleEndian}
	if binary.BigEndian.Uint32(h)&1 != 0 {
		sum.order = binary.BigEndian
	}
	sum.add(h[:24])
	if binary.BigEndian.Uint32(h)&^1 != walMagic || binary.BigEndian.Uint32(h[4:]) != walVersion ||
		int(binary.BigEndian.Uint32(h[8:])) != f.pageSize || !sum.is(h[24:]) {
		return nil // not a log of this file, or of no use
	}
	return f.readFrames([8]byte(h[16:]), sum)
}

func (f *File) readFrames(salt [8]byte, sum checksum) error {
	f.frames = map[uint32]int64{}
	open := map[uint32]int64{} // of the transaction that was not committed yet
	frame := make([]byte, frameHeader+f.pageSize)
	for off := int64(walHeader); off+int64(len(frame)) <= f.wal.Size; off += int64(len(frame)) {
		if _, err := f.wal.ReadAt(frame, off); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("read the -wal file: %w", err)
		}
		sum.add(frame[:8])
		sum.add(frame[frameHeader:])
		if [8]byte(frame[8:]) != salt || !sum.is(frame[16:]) {
			return nil
		}
		open[binary.BigEndian.Uint32(frame)] = off + frameHeader
		if size := binary.BigEndian.Uint32(frame[4:]); size != 0 {
			maps.Copy(f.frames, open)
			clear(open)
			// A file that was cut is shorter than it says. What is missing is found missing.
			f.pages = max(f.pages, min(size, f.pages+uint32(len(f.frames))))
		}
	}
	return nil
}

// checksum is the running sum of section 4.2.
type checksum struct {
	order  binary.ByteOrder
	s0, s1 uint32
}

// add sums p, whose length is a multiple of 8.
func (c *checksum) add(p []byte) {
	for ; len(p) >= 8; p = p[8:] {
		c.s0 += c.order.Uint32(p) + c.s1
		c.s1 += c.order.Uint32(p[4:]) + c.s0
	}
}

// is compares with the sum stored in p, which is big-endian whatever the order.
func (c *checksum) is(p []byte) bool {
	return binary.BigEndian.Uint32(p) == c.s0 && binary.BigEndian.Uint32(p[4:]) == c.s1
}
