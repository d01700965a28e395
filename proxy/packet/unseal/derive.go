package unseal

import (
	"crypto"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/subtle"
	"hash"

	"golang.org/x/crypto/cryptobyte"
)

// keyBlock makes the keys of TLS 1.2 and before out of the master secret (RFC 5246,
// section 6.3), n bytes of them.
func keyBlock(version uint16, h crypto.Hash, master []byte, client, server Random, n int) []byte {
	seed := append([]byte("key expansion"), server[:]...)
	seed = append(seed, client[:]...)
	if version >= versionTLS12 {
		return expand(h, master, seed, n)
	}
	// Before TLS 1.2 each half of the secret goes through a hash of its own (RFC 2246,
	// section 5).
	half := (len(master) + 1) / 2
	out := expand(crypto.MD5, master[:half], seed, n)
	subtle.XORBytes(out, out, expand(crypto.SHA1, master[len(master)-half:], seed, n))
	return out
}

// expand is P_hash (RFC 5246, section 5).
func expand(h crypto.Hash, secret, seed []byte, n int) []byte {
	m := hmac.New(h.New, secret)
	sum := func(parts ...[]byte) []byte {
		m.Reset()
		for _, p := range parts {
			m.Write(p)
		}
		return m.Sum(nil)
	}
	var out []byte
	for a := sum(seed); len(out) < n; a = sum(a) {
		out = append(out, sum(a, seed)...)
	}
	return out[:n]
}

// expandLabel is HKDF-Expand-Label without a context (RFC 8446, section 7.1).
func expandLabel(h func() hash.Hash, secret []byte, name string, n int) []byte {
	var b cryptobyte.Builder
	b.AddUint16(uint16(n))
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte("tls13 " + name)) })
	b.AddUint8(0)
	out, err := hkdf.Expand(h, secret, string(b.BytesOrPanic()), n)
	if err != nil {
		return nil // n is a constant of ours, far below what HKDF can give
	}
	return out
}
