package store

import (
	"bytes"
	"fmt"
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
	packLevel  = zstd.SpeedDefault
	packFrom   = 1 << 10  // bytes
	packSample = 16 << 10 // bytes of a piece that are tried first
	packGain   = 8        // a piece stays as it is unless this part of it is saved: an eighth
)

// packer codes pieces with zstd. It belongs to one goroutine and holds some
// megabytes, so that it is made when there is work and dropped afterwards.
type packer struct {
	zstd *zstd.Encoder
	buf  []byte
}

func newPacker() (*packer, error) {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(packLevel), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
		zstd.WithWindowSize(PieceSize), zstd.WithSingleSegment(true), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, fmt.Errorf("make zstd encoder: %w", err)
	}
	return &packer{zstd: e}, nil
}

// pack returns p coded, nil if that gains too little.
func (k *packer) pack(p []byte) []byte {
	if len(p) < packFrom {
		return nil
	}
	if len(p) > 2*packSample && !k.gains(p[:packSample]) || !k.gains(p) {
		return nil
	}
	return bytes.Clone(k.buf)
}

// gains reports whether coding p pays; what it comes to stands in k.buf.
func (k *packer) gains(p []byte) bool {
	k.buf = k.zstd.EncodeAll(p, k.buf[:0])
	return len(k.buf) <= len(p)-len(p)/packGain
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

// packable reports whether trying to code the body of a side may pay, by what the
// flow's headers say of it.
func packable(f *flowpb.Flow, side flowpb.Side) bool {
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
