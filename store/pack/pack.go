// Package pack makes pieces of bodies smaller, and whole again: by zstd (RFC 8878), a
// frame a piece, without a dictionary. It knows what is worth trying, by a flow's
// headers and by the bytes themselves.
//
// It does not know where pieces are kept, and when is a good time. A [Packer] belongs to
// one goroutine, an [Unpacker] to everybody. What an Unpacker is given may be anything:
// it gives back no more than it was told to expect.
package pack

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	flowpb "weir/proto"
)

// What is worth coding. Measured on pages, scripts, styles, JSON, XML and source code,
// with a 2 GHz core: zstd's default level makes pieces of 256 KB 0.14 to 0.37 as large
// at 95 to 360 MB/s, and bodies of 4 KB 0.24 to 0.42 at 115 to 200 MB/s. The next level
// saves 3 to 5 % more at two thirds of the speed, the fastest one saves 5 % less. At
// 1 KB it is 0.33 to 0.51, and reading 300 MB/s; below that the time a search takes
// to unpack outweighs the gain. What is compressed already is told from its first
// 16 KB at 0.4 to 4 GB/s.
const (
	level  = zstd.SpeedDefault
	sample = 16 << 10 // bytes of a piece that are tried first
	gain   = 8        // a piece stays as it is unless this part of it is saved: an eighth

	// From is the least size of a piece, in bytes, that is worth it.
	From = 1 << 10
)

// ErrFrame means that something is no frame of a piece, or of another one.
var ErrFrame = errors.New("damaged zstd frame")

// Packer codes pieces. It holds some megabytes, so that it is made when there is work
// and dropped afterwards.
type Packer struct {
	zstd *zstd.Encoder
	buf  []byte
}

// NewPacker makes a packer of pieces of up to so many bytes.
func NewPacker(largest int) (*Packer, error) {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
		zstd.WithWindowSize(largest), zstd.WithSingleSegment(true), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, fmt.Errorf("make zstd encoder: %w", err)
	}
	return &Packer{zstd: e}, nil
}

// Pack returns p coded, nil if that gains too little.
func (k *Packer) Pack(p []byte) []byte {
	if len(p) < From {
		return nil
	}
	if len(p) > 2*sample && !k.gains(p[:sample]) || !k.gains(p) {
		return nil
	}
	return bytes.Clone(k.buf)
}

// gains reports whether coding p pays; what it comes to stands in k.buf.
func (k *Packer) gains(p []byte) bool {
	k.buf = k.zstd.EncodeAll(p, k.buf[:0])
	return len(k.buf) <= len(p)-len(p)/gain
}

// Unpacker undoes what a Packer did. It is safe for concurrent use.
type Unpacker struct{ zstd *zstd.Decoder }

// NewUnpacker makes an unpacker of pieces of up to so many bytes, for so many callers
// at once. It starts no goroutine.
func NewUnpacker(callers int, largest uint64) (*Unpacker, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(callers), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(largest), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		return nil, fmt.Errorf("make zstd decoder: %w", err)
	}
	return &Unpacker{zstd: d}, nil
}

// Unpack returns the piece of size bytes that a frame stands for, in buf if that is
// large enough. Its errors wrap [ErrFrame].
func (u *Unpacker) Unpack(frame []byte, size int, buf []byte) ([]byte, error) {
	out, err := u.zstd.DecodeAll(frame, slices.Grow(buf[:0], size)[:0:size])
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrFrame, err)
	case len(out) != size:
		return nil, fmt.Errorf("%w: %d bytes where it says %d", ErrFrame, len(out), size)
	}
	return out, nil
}

// packed lists the media types whose content is compressed by itself, as prefixes.
var packed = []string{
	"image/", "video/", "audio/", "font/woff", "application/font-woff", "application/x-font-woff",
	"application/zip", "application/gzip", "application/x-gzip", "application/zstd", "application/x-bzip", "application/x-xz",
	"application/x-7z-compressed", "application/x-rar", "application/vnd.rar", "application/java-archive",
	"application/vnd.android.package-archive", "application/vnd.openxmlformats-officedocument", "application/epub",
	"application/x-brotli", "application/ogg",
}

// plainImages are the exceptions among these.
var plainImages = []string{"image/svg", "image/bmp", "image/x-ms-bmp", "image/x-icon", "image/vnd.microsoft.icon", "image/x-portable"}

// Worth reports whether trying to code the body of a side may pay, by what the flow's
// headers say of it.
func Worth(f *flowpb.Flow, side flowpb.Side) bool {
	headers := bodyHeaders(f, side)
	if len(flowpb.Get(headers, "content-encoding")) > 0 {
		return false
	}
	for _, value := range flowpb.Get(headers, "content-type") {
		media := strings.ToLower(string(value))
		if hasPrefix(media, packed) && !hasPrefix(media, plainImages) {
			return false
		}
	}
	return true
}

func hasPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// bodyHeaders are the headers of the message whose body is on that side.
func bodyHeaders(f *flowpb.Flow, side flowpb.Side) []*flowpb.Field {
	h := f.GetHttp()
	switch side {
	case flowpb.SideRequest:
		return h.GetRequest().GetHeaders()
	case flowpb.SideResponse:
		return h.GetResponse().GetHeaders()
	case flowpb.SideOriginalRequest:
		return h.GetOriginalRequest().GetHeaders()
	default:
		return h.GetOriginalResponse().GetHeaders()
	}
}
