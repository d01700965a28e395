package synth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"

	flowpb "weir/proto"
	"weir/proxy/packet/pcap"
)

// Types of records (RFC 8446 section 5.1).
const (
	recordSpec      = 20 // change_cipher_spec
	recordAlert     = 21
	recordHandshake = 22
	recordData      = 23
)

// maxRecord bounds what one record carries, in bytes.
const maxRecord = 16 << 10

// closeNotify is the alert by which a side ends (RFC 8446 section 6.1).
var closeNotify = []byte{1, 0}

// secure is a session of TLS 1.3 (RFC 8446) with TLS_AES_128_GCM_SHA256, both ends of
// it. Its secrets are made of its random bytes instead of a key exchange: they are
// told in the file anyway.
type secure struct {
	random [32]byte // of the client
	facts  *flowpb.Tls
	chain  []*flowpb.Certificate
	sides  [2]sealer
}

// sealer encrypts what one side sends.
type sealer struct {
	aead cipher.AEAD
	iv   []byte
	next uint64 // number of the record
}

// newSecure returns a session that is to look like the one a flow came over.
func newSecure(f *flowpb.Whole, unique uint64) *secure {
	facts := f.Client.GetTls()
	if facts == nil {
		facts = f.Server.GetTls()
	}
	chain := f.Server.GetTls().GetCertificates()
	if uid := f.Flow.GetUid(); uid != nil {
		unique ^= uid.GetSequence() << 32
	}
	seed := binary.BigEndian.AppendUint64(f.Flow.GetUid().GetSession(), unique)
	seed = binary.BigEndian.AppendUint64(seed, uint64(f.Flow.GetCreatedNs()))
	return &secure{random: sha256.Sum256(append(seed, f.Flow.GetServer()...)), facts: facts, chain: chain}
}

// secret is a secret of the session by its label in key logs.
func (s *secure) secret(label string) []byte {
	m := hmac.New(sha256.New, s.random[:])
	m.Write([]byte(label))
	return m.Sum(nil)
}

// Labels of a key log, of client and server (draft-ietf-tls-keylogfile).
var (
	handshakeLabels = [2]string{"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET"}
	trafficLabels   = [2]string{"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"}
)

// begin writes the secrets and the handshake.
func (s *secure) begin(t *talk, out *pcap.Writer) error {
	var log []byte
	for _, labels := range [][2]string{handshakeLabels, trafficLabels} {
		for _, l := range labels {
			log = fmt.Appendf(log, "%s %x %x\n", l, s.random, s.secret(l))
		}
	}
	if err := out.Secrets(log); err != nil {
		return err
	}
	transcript := sha256.New()
	hello := s.clientHello()
	transcript.Write(hello)
	if err := t.send(out, 0, appendRecord(nil, recordHandshake, hello), ""); err != nil {
		return err
	}
	if err := s.use(handshakeLabels); err != nil {
		return err
	}
	if err := t.send(out, 1, s.serverFlight(transcript), ""); err != nil {
		return err
	}
	end := appendRecord(nil, recordSpec, []byte{1})
	end = append(end, s.seal(0, recordHandshake, s.finished(0, transcript))...)
	if err := t.send(out, 0, end, ""); err != nil {
		return err
	}
	return s.use(trafficLabels)
}

// use begins to encrypt with these secrets.
func (s *secure) use(labels [2]string) error {
	for i, l := range labels {
		secret := s.secret(l)
		key, err := expand(secret, "key", 16)
		if err != nil {
			return err
		}
		iv, err := expand(secret, "iv", 12)
		if err != nil {
			return err
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return fmt.Errorf("make the key of a TLS record: %w", err)
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return fmt.Errorf("make the key of a TLS record: %w", err)
		}
		s.sides[i] = sealer{aead: aead, iv: iv}
	}
	return nil
}

// expand is HKDF-Expand-Label without a context (RFC 8446 section 7.1).
func expand(secret []byte, label string, n int) ([]byte, error) {
	info := binary.BigEndian.AppendUint16(nil, uint16(n))
	info = append(info, byte(len("tls13 ")+len(label)))
	info = append(append(info, "tls13 "+label...), 0)
	out, err := hkdf.Expand(sha256.New, secret, string(info), n)
	if err != nil {
		return nil, fmt.Errorf("make a TLS key: %w", err)
	}
	return out, nil
}

// seal encrypts what a side sends, in records.
func (s *secure) seal(from int, kind byte, p []byte) (out []byte) {
	k := &s.sides[from]
	for len(p) > 0 {
		n := min(len(p), maxRecord)
		inner := append(p[:n:n], kind)
		p = p[n:]
		nonce := append([]byte(nil), k.iv...)
		binary.BigEndian.PutUint64(nonce[4:], binary.BigEndian.Uint64(nonce[4:])^k.next)
		k.next++
		at := len(out)
		out = append(out, recordData, 3, 3)
		out = binary.BigEndian.AppendUint16(out, uint16(len(inner)+k.aead.Overhead()))
		out = k.aead.Seal(out, nonce, inner, out[at:at+5])
	}
	return out
}

// appendRecord appends records in clear.
func appendRecord(dst []byte, kind byte, p []byte) []byte {
	for len(p) > 0 {
		n := min(len(p), maxRecord)
		dst = append(dst, kind, 3, 3)
		dst = binary.BigEndian.AppendUint16(dst, uint16(n))
		dst = append(dst, p[:n]...)
		p = p[n:]
	}
	return dst
}

// finished is the message that ends a side's handshake (RFC 8446 section 4.4.4).
func (s *secure) finished(from int, transcript hash.Hash) []byte {
	key, err := expand(s.secret(handshakeLabels[from]), "finished", sha256.Size)
	if err != nil {
		return nil // cannot be: the length is far from the limit
	}
	m := hmac.New(sha256.New, key)
	m.Write(transcript.Sum(nil))
	return appendHandshake(nil, 20, m.Sum(nil))
}
