package live

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ring is the memory that the kernel shares (Documentation/networking/packet_mmap.rst,
// TPACKET_V3). A block belongs to the kernel until its status says otherwise, and again
// from when we say so.
type ring struct {
	mem    []byte
	block  int    // the one that is read, or waited for
	left   uint32 // packets of it that were not read
	packet int    // where the header of the next packet stands in mem
}

const (
	// blockSize is what one block holds, in bytes: as much as is kept of a packet.
	blockSize = 256 << 10
	// blockTime is how long the kernel waits for a block to be full, in milliseconds.
	// When it gives up a block of a few bytes it takes the next, so a ring of 64 MB
	// carries a reader who does not read over ten seconds, however little comes.
	blockTime = 40
	// frameSize means little in this version, but has to be in order.
	frameSize = 2 << 10
)

// Where the fields of struct tpacket_block_desc stand.
const (
	blockStatus = 8
	blockCount  = 12
	blockFirst  = 16
)

// Where the fields of struct tpacket3_hdr stand, and of the struct sockaddr_ll behind it.
const (
	packetNext    = 0
	packetSec     = 4
	packetNsec    = 8
	packetSnap    = 12
	packetLen     = 16
	packetStatus  = 20
	packetMac     = 24
	packetTCI     = 32
	packetTPID    = 36
	senderProto   = unix.SizeofTpacket3Hdr + 2
	senderIndex   = unix.SizeofTpacket3Hdr + 4
	senderHatype  = unix.SizeofTpacket3Hdr + 8
	senderPkttype = unix.SizeofTpacket3Hdr + 10
)

// newRing makes the ring of a socket.
func newRing(fd, size int) (*ring, error) {
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return nil, fmt.Errorf("ask for TPACKET_V3: %w", err)
	}
	blocks := max(2, size/blockSize)
	req := unix.TpacketReq3{
		Block_size: blockSize, Block_nr: uint32(blocks), Frame_size: frameSize, Frame_nr: uint32(blocks * (blockSize / frameSize)),
		Retire_blk_tov: blockTime,
	}
	if err := unix.SetsockoptTpacketReq3(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &req); err != nil {
		return nil, fmt.Errorf("make a ring of %d bytes: %w", blocks*blockSize, err)
	}
	mem, err := unix.Mmap(fd, 0, blocks*blockSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map the ring: %w", err)
	}
	return &ring{mem: mem}, nil
}

// status is the word by which a block changes hands. The kernel writes all of a block before it.
func (r *ring) status() *uint32 {
	return (*uint32)(unsafe.Pointer(&r.mem[r.block*blockSize+blockStatus]))
}

// ready reports whether there is a packet to read.
func (r *ring) ready() bool {
	for r.left == 0 {
		if atomic.LoadUint32(r.status())&unix.TP_STATUS_USER == 0 {
			return false
		}
		start := r.block * blockSize
		r.left = binary.NativeEndian.Uint32(r.mem[start+blockCount:])
		r.packet = start + int(binary.NativeEndian.Uint32(r.mem[start+blockFirst:]))
		if r.left == 0 {
			r.release()
		}
	}
	return true
}

// advance goes on behind the packet that was read.
func (r *ring) advance() {
	r.packet += int(r.u32(packetNext))
	if r.left--; r.left == 0 {
		r.release()
	}
}

// release gives the block back to the kernel.
func (r *ring) release() {
	atomic.StoreUint32(r.status(), unix.TP_STATUS_KERNEL)
	r.block = (r.block + 1) % (len(r.mem) / blockSize)
}

func (r *ring) u32(off int) uint32 { return binary.NativeEndian.Uint32(r.mem[r.packet+off:]) }
func (r *ring) u16(off int) uint16 { return binary.NativeEndian.Uint16(r.mem[r.packet+off:]) }

// at is when the packet was captured, in nanoseconds since 1970.
func (r *ring) at() int64 { return int64(r.u32(packetSec))*1e9 + int64(r.u32(packetNsec)) }
