package unseal

import (
	"crypto/hmac"
	"crypto/rc4" //nolint:gosec // see cbc.go

	"weir/proxy/handshake"
)

// oldOpeners makes the openers of client and server for TLS 1.2 and before; nil where
// the secret does not fit.
func oldOpeners(s suite, hello *handshake.ServerHello, client Random, secret []byte) (out [2]opener) {
	if len(secret) != masterSize {
		return out
	}
	mac, iv := 0, 0
	switch {
	case s.mac != 0:
		mac = s.mac.Size()
		if hello.Version < versionTLS11 {
			iv = s.block()
		}
	case s.bulk == chaCha:
		iv = 12
	default:
		iv = 4
	}
	block := keyBlock(hello.Version, s.hash, secret, client, hello.Random, 2*(mac+s.key+iv))
	take := func(n int) (parts [2][]byte) {
		for i := range parts {
			parts[i], block = block[:n:n], block[n:]
		}
		return parts
	}
	macs, keys, ivs := take(mac), take(s.key), take(iv)
	for i := range out {
		out[i] = oldOpener(s, hello, macs[i], keys[i], ivs[i])
	}
	return out
}

func oldOpener(s suite, hello *handshake.ServerHello, mac, key, iv []byte) opener {
	switch s.bulk {
	case aesCBC, tripleDES:
		block := newBlock(s, key)
		if block == nil {
			return nil
		}
		return &chained{
			block: block, mac: hmac.New(s.mac.New, mac), macLast: hello.EncryptThenMAC,
			implicit: hello.Version < versionTLS11, iv: iv,
		}
	case noCipher:
		return &bare{mac: hmac.New(s.mac.New, mac)}
	case rc4Stream:
		c, err := rc4.NewCipher(key)
		if err != nil {
			return nil
		}
		return &streamed{cipher: c, mac: hmac.New(s.mac.New, mac)}
	}
	aead := newAEAD(s, key)
	if aead == nil || hello.Version < versionTLS12 {
		return nil
	}
	c := &classic{aead: aead}
	copy(c.iv[:], iv)
	if s.bulk != chaCha {
		c.explicit = 8
	}
	return c
}

// modernOpener makes the opener of a traffic secret of TLS 1.3 (RFC 8446, section
// 7.3); nil where there is none that fits.
func modernOpener(s suite, secret []byte) opener {
	if len(secret) != s.hash.Size() || s.mac != 0 {
		return nil
	}
	aead := newAEAD(s, expandLabel(s.hash.New, secret, "key", s.key))
	if aead == nil {
		return nil
	}
	m := &modern{aead: aead}
	copy(m.iv[:], expandLabel(s.hash.New, secret, "iv", len(m.iv)))
	return m
}

// update is the traffic secret behind a key update (RFC 8446, section 7.2).
func update(s suite, secret []byte) []byte {
	return expandLabel(s.hash.New, secret, "traffic upd", s.hash.Size())
}
