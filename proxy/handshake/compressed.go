package handshake

import (
	"golang.org/x/crypto/cryptobyte"

	"weir/proto/coding"
)

// compressions are how a certificate may be compressed, as content codings (RFC 8879,
// section 7.3).
var compressions = map[uint16]string{1: "deflate", 2: "br", 3: "zstd"}

// parseCompressed reads a CompressedCertificate (RFC 8879, section 4). One that is
// compressed in another way is passed over; one that does not unfold into what it says
// is wrong.
func parseCompressed(p []byte) (chain [][]byte, ok bool) {
	s := cryptobyte.String(p)
	var algorithm uint16
	var size uint32
	var data cryptobyte.String
	if !s.ReadUint16(&algorithm) || !s.ReadUint24(&size) || !s.ReadUint24LengthPrefixed(&data) || size > maxMessage {
		return nil, false
	}
	name, known := compressions[algorithm]
	if !known {
		return nil, true
	}
	message, err := coding.Decode(data, []string{name}, int64(size))
	if err != nil || len(message) != int(size) {
		return nil, false
	}
	return parseCertificates(message, true)
}
