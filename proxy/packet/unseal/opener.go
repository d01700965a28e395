package unseal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des" //nolint:gosec // for reading what others sealed with it
	"encoding/binary"

	"golang.org/x/crypto/chacha20poly1305"
)

// Versions of TLS, as records and hellos name them.
const (
	versionTLS10 = 0x0301
	versionTLS11 = 0x0302
	versionTLS12 = 0x0303
	versionTLS13 = 0x0304
)

// sealed is a record as it came.
type sealed struct {
	header  []byte // recordHeader bytes
	payload []byte
	before  []byte // what came before it in the stream, as far as it is known
}

func (r sealed) kind() uint8 { return r.header[0] }

// opener opens the records of one direction under one key.
type opener interface {
	// open returns what a record holds, if it is the one with that number, and of
	// which type that is. The content is appended to dst and shares its array.
	open(dst []byte, seq uint64, r sealed) (kind uint8, content []byte, ok bool)
	// overhead is how much longer a record is than its content, its header included;
	// exact is false where that differs from record to record.
	overhead() (n int, exact bool)
}

// aead is what is used of a cipher.AEAD.
type aead interface {
	Overhead() int
	Open(dst, nonce, sealed, extra []byte) ([]byte, error)
}

// newAEAD makes the cipher of a suite; nil for a key that does not fit it.
func newAEAD(s suite, key []byte) aead {
	if s.bulk == chaCha {
		aead, err := chacha20poly1305.New(key)
		if err != nil {
			return nil
		}
		return aead
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil
	}
	switch s.bulk {
	case aesCCM:
		return &ccm{block, 16}
	case aesCCM8:
		return &ccm{block, 8}
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil
	}
	return aead
}

// newBlock makes the block cipher of a suite; nil for a key that does not fit it.
func newBlock(s suite, key []byte) cipher.Block {
	cipherOf := aes.NewCipher
	if s.bulk == tripleDES {
		cipherOf = des.NewTripleDESCipher
	}
	block, err := cipherOf(key)
	if err != nil {
		return nil
	}
	return block
}

// modern opens records of TLS 1.3 (RFC 8446, section 5.2).
type modern struct {
	aead aead
	iv   [12]byte
}

func (m *modern) overhead() (int, bool) { return recordHeader + m.aead.Overhead() + 1, true }

func (m *modern) open(dst []byte, seq uint64, r sealed) (uint8, []byte, bool) {
	nonce := numbered(m.iv, seq)
	content, err := m.aead.Open(dst, nonce[:], r.payload, r.header)
	if err != nil {
		return 0, nil, false
	}
	end := len(content)
	for end > len(dst) && content[end-1] == 0 { // padding
		end--
	}
	if end == len(dst) {
		return 0, nil, false
	}
	return content[end-1], content[:end-1], true
}

// numbered is a nonce made of a record's number.
func numbered(iv [12]byte, seq uint64) [12]byte {
	n := binary.BigEndian.Uint64(iv[4:])
	binary.BigEndian.PutUint64(iv[4:], n^seq)
	return iv
}

// classic opens records of TLS 1.2 whose cipher authenticates: AES-GCM (RFC 5288),
// AES-CCM (RFC 6655) and ChaCha20-Poly1305 (RFC 7905).
type classic struct {
	aead     aead
	iv       [12]byte // of which a record brings the last explicit bytes itself
	explicit int
}

func (c *classic) overhead() (int, bool) { return recordHeader + c.explicit + c.aead.Overhead(), true }

func (c *classic) open(dst []byte, seq uint64, r sealed) (uint8, []byte, bool) {
	n := len(r.payload) - c.explicit - c.aead.Overhead()
	if n < 0 {
		return 0, nil, false
	}
	nonce := c.iv
	if c.explicit > 0 {
		copy(nonce[len(nonce)-c.explicit:], r.payload)
	} else {
		nonce = numbered(c.iv, seq)
	}
	extra := pseudoHeader(seq, r, n)
	content, err := c.aead.Open(dst, nonce[:], r.payload[c.explicit:], extra[:])
	return r.kind(), content, err == nil
}

// pseudoHeader is what is authenticated beside n bytes of a record (RFC 5246, section
// 6.2.3.3).
func pseudoHeader(seq uint64, r sealed, n int) (h [13]byte) {
	binary.BigEndian.PutUint64(h[:], seq)
	copy(h[8:], r.header[:3])
	binary.BigEndian.PutUint16(h[11:], uint16(n))
	return h
}
