package unseal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"
)

// ccm is AES-CCM (RFC 3610) with the nonces of TLS, of 12 bytes (RFC 6655). It only
// opens.
type ccm struct {
	block cipher.Block
	tag   int // bytes
}

// ccmLength is how many bytes of a block say how long a message is: what its nonce
// leaves of it.
const ccmLength = 15 - 12

var errSealed = errors.New("unseal: the message does not authenticate")

// Overhead is how much longer a sealed message is, in bytes.
func (c *ccm) Overhead() int { return c.tag }

// Open opens a message as cipher.AEAD does.
func (c *ccm) Open(dst, nonce, sealed, extra []byte) ([]byte, error) {
	n := len(sealed) - c.tag
	if n < 0 || len(nonce) != aes.BlockSize-1-ccmLength {
		return nil, errSealed
	}
	var counter, mask [aes.BlockSize]byte
	counter[0] = ccmLength - 1
	copy(counter[1:], nonce)
	stream := cipher.NewCTR(c.block, counter[:])
	stream.XORKeyStream(mask[:], mask[:])
	from := len(dst)
	dst = append(dst, sealed[:n]...)
	stream.XORKeyStream(dst[from:], dst[from:])
	sum := c.sum(nonce, dst[from:], extra)
	subtle.XORBytes(sum[:], sum[:], mask[:])
	if subtle.ConstantTimeCompare(sum[:c.tag], sealed[n:]) != 1 {
		return nil, errSealed
	}
	return dst, nil
}

// sum is the CBC-MAC of a message and of what is authenticated beside it.
func (c *ccm) sum(nonce, p, extra []byte) (x [aes.BlockSize]byte) {
	x[0] = 0x40 | byte(c.tag-2)/2<<3 | ccmLength - 1
	copy(x[1:], nonce)
	x[13], x[14], x[15] = byte(len(p)>>16), byte(len(p)>>8), byte(len(p))
	c.block.Encrypt(x[:], x[:])
	first := binary.BigEndian.AppendUint16(make([]byte, 0, aes.BlockSize), uint16(len(extra)))
	for _, part := range [][]byte{append(first, extra...), p} {
		for len(part) > 0 {
			n := min(len(part), len(x))
			subtle.XORBytes(x[:n], x[:n], part[:n])
			c.block.Encrypt(x[:], x[:])
			part = part[n:]
		}
	}
	return x
}
