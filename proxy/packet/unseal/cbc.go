package unseal

import (
	"bytes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rc4" //nolint:gosec // for reading what others sealed with it
	"hash"
)

// chained opens records of a block cipher in CBC mode (RFC 5246, section 6.2.3.2).
type chained struct {
	block    cipher.Block
	mac      hash.Hash
	macLast  bool   // the MAC is outside of the encryption (RFC 7366)
	implicit bool   // records begin with the last block of the one before: TLS 1.0
	iv       []byte // of the first record, then
}

func (c *chained) overhead() (int, bool) { return 0, false }

func (c *chained) open(dst []byte, seq uint64, r sealed) (uint8, []byte, bool) {
	size, p := c.block.BlockSize(), r.payload
	if c.macLast {
		n := len(p) - c.mac.Size()
		if n < 0 || !c.fits(seq, r, p[:n], p[n:]) {
			return 0, nil, false
		}
		p = p[:n]
	}
	iv := c.iv
	if c.implicit {
		if len(r.before) >= size {
			iv = r.before[len(r.before)-size:]
		}
		// Whether it opens or not, the next one goes on from it.
		if len(p) >= size {
			c.iv = append([]byte(nil), p[len(p)-size:]...)
		}
	} else if len(p) >= size {
		iv, p = p[:size], p[size:]
	}
	if len(p) == 0 || len(p)%size != 0 || len(iv) != size {
		return 0, nil, false
	}
	from := len(dst)
	dst = append(dst, p...)
	content := dst[from:]
	cipher.NewCBCDecrypter(c.block, iv).CryptBlocks(content, content)
	content, ok := unpad(content)
	if !ok {
		return 0, nil, false
	}
	if !c.macLast {
		n := len(content) - c.mac.Size()
		if n < 0 || !c.fits(seq, r, content[:n], content[n:]) {
			return 0, nil, false
		}
		content = content[:n]
	}
	return r.kind(), dst[:from+len(content)], true
}

// unpad takes the padding off: its length, and as many bytes of the same value.
func unpad(p []byte) ([]byte, bool) {
	n := len(p) - 1 - int(p[len(p)-1])
	if n < 0 {
		return nil, false
	}
	for _, b := range p[n:] {
		if b != p[len(p)-1] {
			return nil, false
		}
	}
	return p[:n], true
}

func (c *chained) fits(seq uint64, r sealed, p, sum []byte) bool { return fits(c.mac, seq, r, p, sum) }

func fits(mac hash.Hash, seq uint64, r sealed, p, sum []byte) bool {
	header := pseudoHeader(seq, r, len(p))
	mac.Reset()
	mac.Write(header[:])
	mac.Write(p)
	return hmac.Equal(mac.Sum(nil), sum)
}

// streamed opens records of RC4, whose key stream runs on from record to record: it
// cannot be picked up again behind missing bytes.
type streamed struct {
	cipher *rc4.Cipher
	mac    hash.Hash
}

func (s *streamed) overhead() (int, bool) { return recordHeader + s.mac.Size(), true }

func (s *streamed) open(dst []byte, seq uint64, r sealed) (uint8, []byte, bool) {
	n := len(r.payload) - s.mac.Size()
	if n < 0 {
		return 0, nil, false
	}
	p := bytes.Clone(r.payload)
	s.cipher.XORKeyStream(p, p)
	if !fits(s.mac, seq, r, p[:n], p[n:]) {
		return 0, nil, false
	}
	return r.kind(), append(dst, p[:n]...), true
}

// bare opens records that are authenticated and not encrypted.
type bare struct{ mac hash.Hash }

func (b *bare) overhead() (int, bool) { return recordHeader + b.mac.Size(), true }

func (b *bare) open(dst []byte, seq uint64, r sealed) (uint8, []byte, bool) {
	n := len(r.payload) - b.mac.Size()
	if n < 0 || !fits(b.mac, seq, r, r.payload[:n], r.payload[n:]) {
		return 0, nil, false
	}
	return r.kind(), append(dst, r.payload[:n]...), true
}
