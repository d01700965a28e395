package quic

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"

	"golang.org/x/crypto/cryptobyte"
)

// The salts of the versions (RFC 9001, section 5.2; RFC 9369, section 3.3.1).
const (
	salt1 = "\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a"
	salt2 = "\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9"
)

// keys open the Initial packets of one side.
type keys struct {
	aead   cipher.AEAD
	iv     [12]byte
	header cipher.Block
}

// initialKeys makes the keys of a side, 0 the client's, from the number with which the
// client began.
func initialKeys(version uint32, destination []byte, side int) (k keys, ok bool) {
	salt, prefix := salt1, "quic "
	if version == Version2 {
		salt, prefix = salt2, "quicv2 "
	}
	secret, err := hkdf.Extract(sha256.New, destination, []byte(salt))
	if err != nil {
		return k, false
	}
	secret = expandLabel(secret, [...]string{"client in", "server in"}[side], sha256.Size)
	block, err := aes.NewCipher(expandLabel(secret, prefix+"key", 16))
	if err != nil {
		return k, false
	}
	if k.aead, err = cipher.NewGCM(block); err != nil {
		return k, false
	}
	copy(k.iv[:], expandLabel(secret, prefix+"iv", len(k.iv)))
	k.header, err = aes.NewCipher(expandLabel(secret, prefix+"hp", 16))
	return k, err == nil
}

// expandLabel is HKDF-Expand-Label without a context (RFC 8446, section 7.1).
func expandLabel(secret []byte, name string, n int) []byte {
	var b cryptobyte.Builder
	b.AddUint16(uint16(n))
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte("tls13 " + name)) })
	b.AddUint8(0)
	out, err := hkdf.Expand(sha256.New, secret, string(b.BytesOrPanic()), n)
	if err != nil {
		return nil // n is a constant of ours, far below what HKDF can give
	}
	return out
}

// open takes the protection off a packet (RFC 9001, sections 5.3 and 5.4). expected is
// the number that would come next.
func (k keys) open(p long, expected uint64) (frames []byte, number uint64, ok bool) {
	if len(p.whole) < p.number+sampleAt+sampleLen {
		return nil, 0, false
	}
	var mask [aes.BlockSize]byte
	k.header.Encrypt(mask[:], p.whole[p.number+sampleAt:][:sampleLen])
	first := p.whole[0] ^ mask[0]&0x0f
	size := int(first&3) + 1
	header := append([]byte(nil), p.whole[:p.number+size]...)
	header[0] = first
	truncated := uint64(0)
	for i := range size {
		header[p.number+i] ^= mask[1+i]
		truncated = truncated<<8 | uint64(header[p.number+i])
	}
	number = complete(truncated, size, expected)
	nonce := k.iv
	binary.BigEndian.PutUint64(nonce[4:], binary.BigEndian.Uint64(nonce[4:])^number)
	frames, err := k.aead.Open(nil, nonce[:], p.whole[len(header):], header)
	return frames, number, err == nil
}

// complete finds the number of which the last bytes were sent, nearest to the one that
// is expected (RFC 9000, section 17.1 and appendix A.3).
func complete(truncated uint64, size int, expected uint64) uint64 {
	window := uint64(1) << (8 * size)
	n := expected&^(window-1) | truncated
	switch {
	case n+window/2 <= expected && n+window < 1<<62:
		return n + window
	case n > expected+window/2 && n >= window:
		return n - window
	}
	return n
}
