package synth

import (
	"encoding/binary"
	"hash"

	flowpb "weir/proto"
)

// Numbers of the handshake (RFC 8446, RFC 6066, RFC 7301).
const (
	typeClientHello         = 1
	typeServerHello         = 2
	typeEncryptedExtensions = 8
	typeCertificate         = 11
	typeCertificateVerify   = 15

	extServerName        = 0
	extGroups            = 10
	extSignatures        = 13
	extALPN              = 16
	extSupportedVersions = 43
	extKeyShare          = 51

	suiteAES128GCM = 0x1301
	groupX25519    = 29
	schemeECDSA    = 0x0403
	version13      = 0x0304
)

// maxChain bounds the certificates that are written, in bytes.
const maxChain = 48 << 10

func appendHandshake(dst []byte, kind byte, p []byte) []byte {
	dst = append(dst, kind, byte(len(p)>>16), byte(len(p)>>8), byte(len(p)))
	return append(dst, p...)
}

func appendExtension(dst []byte, kind uint16, p []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, kind)
	return append16(dst, p)
}

// append16 appends p behind its length in two bytes.
func append16(dst, p []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(p)))
	return append(dst, p...)
}

func numbers(values ...uint16) (out []byte) {
	for _, v := range values {
		out = binary.BigEndian.AppendUint16(out, v)
	}
	return out
}

// clientHello is what the client would offer if it had what weir knows of it.
func (s *secure) clientHello() []byte {
	body := numbers(0x0303)
	body = append(append(body, s.random[:]...), 0) // no session id
	body = append16(body, numbers(suiteAES128GCM))
	body = append(body, 1, 0) // no compression
	var ext []byte
	if sni := s.facts.GetSni(); len(sni) > 0 && len(sni) < 1<<10 {
		ext = appendExtension(ext, extServerName, append16(nil, append16([]byte{0}, sni)))
	}
	ext = appendExtension(ext, extSupportedVersions, append([]byte{2}, numbers(version13)...))
	ext = appendExtension(ext, extGroups, append16(nil, numbers(groupX25519)))
	ext = appendExtension(ext, extSignatures, append16(nil, numbers(schemeECDSA)))
	ext = appendExtension(ext, extKeyShare, append16(nil, append16(numbers(groupX25519), s.secret("client share"))))
	ext = s.appendALPN(ext, s.facts.GetAlpnOffers())
	return appendHandshake(nil, typeClientHello, append16(body, ext))
}

// appendALPN appends the protocols that are offered, the one that was agreed on among
// them.
func (s *secure) appendALPN(dst []byte, names [][]byte) []byte {
	agreed := s.facts.GetAlpn()
	var list []byte
	listed := len(agreed) == 0
	for _, n := range names {
		if len(n) == 0 || len(n) > 255 || len(list) > 1<<10 {
			continue
		}
		listed = listed || string(n) == string(agreed)
		list = append(append(list, byte(len(n))), n...)
	}
	if !listed && len(agreed) <= 255 {
		list = append(append(list, byte(len(agreed))), agreed...)
	}
	if len(list) == 0 {
		return dst
	}
	return appendExtension(dst, extALPN, append16(nil, list))
}

// serverFlight is all that the server says before the client's Finished.
func (s *secure) serverFlight(transcript hash.Hash) []byte {
	share := s.secret("server share")
	random := s.secret("server random")
	body := numbers(0x0303)
	body = append(append(body, random...), 0)
	body = append(body, numbers(suiteAES128GCM)...)
	body = append(body, 0)
	ext := appendExtension(nil, extSupportedVersions, numbers(version13))
	ext = appendExtension(ext, extKeyShare, append16(numbers(groupX25519), share))
	hello := appendHandshake(nil, typeServerHello, append16(body, ext))
	transcript.Write(hello)
	out := appendRecord(nil, recordHandshake, hello)
	out = appendRecord(out, recordSpec, []byte{1})

	ext = nil
	if len(s.facts.GetAlpn()) > 0 {
		ext = s.appendALPN(ext, nil)
	}
	hidden := appendHandshake(nil, typeEncryptedExtensions, append16(nil, ext))
	hidden = appendHandshake(hidden, typeCertificate, certificates(s.chain))
	signature := s.secret("no signature")
	hidden = appendHandshake(hidden, typeCertificateVerify, append16(numbers(schemeECDSA), signature))
	transcript.Write(hidden)
	end := s.finished(1, transcript)
	transcript.Write(end)
	return append(out, s.seal(1, recordHandshake, append(hidden, end...))...)
}

// certificates is the body of the server's Certificate (RFC 8446 section 4.4.2).
func certificates(chain []*flowpb.Certificate) []byte {
	var list []byte
	for _, c := range chain {
		der := c.GetDer()
		if len(list)+len(der) > maxChain {
			break
		}
		if len(der) == 0 {
			continue
		}
		list = append(list, byte(len(der)>>16), byte(len(der)>>8), byte(len(der)))
		list = append(append(list, der...), 0, 0)
	}
	return append([]byte{0, byte(len(list) >> 16), byte(len(list) >> 8), byte(len(list))}, list...)
}
