package handshake

import "golang.org/x/crypto/cryptobyte"

// The extensions that are looked into (IANA, TLS ExtensionType Values).
const (
	extensionServerName = 0
	extensionGroups     = 10
	extensionPoints     = 11
	extensionSignatures = 13
	extensionALPN       = 16
	extensionMACLast    = 22 // encrypt_then_mac (RFC 7366)
	extensionMaster     = 23 // extended_master_secret (RFC 7627)
	extensionTicket     = 35 // session_ticket (RFC 5077)
	extensionPSK        = 41
	extensionEarlyData  = 42
	extensionVersions   = 43
)

const (
	versionTLS12 = 0x0303
	versionTLS13 = 0x0304
)

// ClientHello is what a client offers, in its order, GREASE (RFC 8701) included.
type ClientHello struct {
	Version             uint16 // what the message itself says
	Random              [RandomSize]byte
	SessionID           []byte
	Ciphers             []uint16
	Extensions          []uint16
	ServerName          []byte
	Protocols           [][]byte // of ALPN
	Versions            []uint16 // of supported_versions, else the message's
	Groups              []uint16
	Points              []uint8
	SignatureAlgorithms []uint16
	Ticket              []byte // by which TLS 1.2 resumes a session; empty where there is none yet
	EarlyData           bool   // data of TLS 1.3 may follow before the server answers
	QUIC                bool   // it was said in QUIC, not in TCP
}

// ServerHello is what a server chose.
type ServerHello struct {
	Version     uint16 // of supported_versions, else the message's
	Random      [RandomSize]byte
	SessionID   []byte
	Cipher      uint16
	Compression uint8
	Protocol    []byte // of ALPN; TLS 1.3 encrypts it, in a later message
	PSK         bool   // it goes on from an earlier session, or with a key known before
	Retry       bool   // it is a HelloRetryRequest: the client has to say hello again
	// EncryptThenMAC says that CBC records have their MAC outside (RFC 7366), and
	// ExtendedMaster that the master secret is bound to the handshake (RFC 7627).
	EncryptThenMAC, ExtendedMaster bool
}

// RandomSize is the length of the random of a hello, in bytes.
const RandomSize = 32

// retryRandom is the random that makes a ServerHello a HelloRetryRequest (RFC 8446,
// section 4.1.3).
const retryRandom = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91" +
	"\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"

// parseClientHello reads the message without its header (RFC 8446, section 4.1.2).
func parseClientHello(p []byte) (*ClientHello, bool) {
	s := cryptobyte.String(p)
	h := &ClientHello{}
	var session, ciphers, compression cryptobyte.String
	if !s.ReadUint16(&h.Version) || !s.CopyBytes(h.Random[:]) || !s.ReadUint8LengthPrefixed(&session) ||
		!s.ReadUint16LengthPrefixed(&ciphers) || !s.ReadUint8LengthPrefixed(&compression) {
		return nil, false
	}
	h.SessionID = session
	h.Ciphers, h.Versions = uint16s(ciphers), []uint16{h.Version}
	ok := extensions(s, func(kind uint16, body cryptobyte.String) {
		h.Extensions = append(h.Extensions, kind)
		h.extension(kind, body)
	})
	return h, ok
}

// extension takes what is understood of one. What is not well formed stays unread.
func (h *ClientHello) extension(kind uint16, body cryptobyte.String) {
	var list cryptobyte.String
	switch kind {
	case extensionServerName:
		var name cryptobyte.String
		var kind uint8
		if body.ReadUint16LengthPrefixed(&list) && list.ReadUint8(&kind) && kind == 0 && list.ReadUint16LengthPrefixed(&name) {
			h.ServerName = name
		}
	case extensionALPN:
		h.Protocols = protocols(body)
	case extensionEarlyData:
		h.EarlyData = true
	case extensionTicket:
		h.Ticket = body
	case extensionVersions:
		if body.ReadUint8LengthPrefixed(&list) {
			h.Versions = uint16s(list)
		}
	case extensionPoints:
		if body.ReadUint8LengthPrefixed(&list) {
			h.Points = list
		}
	case extensionGroups:
		if body.ReadUint16LengthPrefixed(&list) {
			h.Groups = uint16s(list)
		}
	case extensionSignatures:
		if body.ReadUint16LengthPrefixed(&list) {
			h.SignatureAlgorithms = uint16s(list)
		}
	}
}

// ParseServerHello reads the message without its header (RFC 8446, section 4.1.3). A
// HelloRetryRequest is one as well, with the version and cipher that stay. It keeps p.
func ParseServerHello(p []byte) (*ServerHello, bool) {
	s := cryptobyte.String(p)
	h := &ServerHello{}
	var session cryptobyte.String
	if !s.ReadUint16(&h.Version) || !s.CopyBytes(h.Random[:]) || !s.ReadUint8LengthPrefixed(&session) ||
		!s.ReadUint16(&h.Cipher) || !s.ReadUint8(&h.Compression) {
		return nil, false
	}
	h.SessionID, h.Retry = session, string(h.Random[:]) == retryRandom
	ok := extensions(s, func(kind uint16, body cryptobyte.String) {
		switch kind {
		case extensionVersions:
			var v uint16
			if body.ReadUint16(&v) {
				h.Version = v
			}
		case extensionALPN:
			if all := protocols(body); len(all) > 0 {
				h.Protocol = all[0]
			}
		case extensionPSK:
			h.PSK = true
		case extensionMACLast:
			h.EncryptThenMAC = true
		case extensionMaster:
			h.ExtendedMaster = true
		}
	})
	return h, ok
}

// parseEncrypted reads TLS 1.3's EncryptedExtensions (RFC 8446, section 4.3.1): the
// application protocol, and whether the server takes early data.
func parseEncrypted(p []byte) (protocol []byte, early, ok bool) {
	ok = extensions(p, func(kind uint16, body cryptobyte.String) {
		switch kind {
		case extensionALPN:
			if all := protocols(body); len(all) > 0 {
				protocol = all[0]
			}
		case extensionEarlyData:
			early = true
		}
	})
	return protocol, early, ok
}

// parseCertificates reads the chain, leaf first: of TLS 1.2 (RFC 5246, section
// 7.4.2), or of TLS 1.3 (RFC 8446, section 4.4.2), where a context precedes it and
// extensions follow each certificate.
func parseCertificates(p []byte, modern bool) (chain [][]byte, ok bool) {
	s := cryptobyte.String(p)
	var list, skipped cryptobyte.String
	if modern && !s.ReadUint8LengthPrefixed(&skipped) || !s.ReadUint24LengthPrefixed(&list) {
		return nil, false
	}
	for !list.Empty() {
		var der cryptobyte.String
		if !list.ReadUint24LengthPrefixed(&der) || modern && !list.ReadUint16LengthPrefixed(&skipped) {
			return chain, false
		}
		chain = append(chain, der)
	}
	return chain, true
}

// extensions calls each for every extension; without any there is not even a length.
func extensions(s cryptobyte.String, each func(kind uint16, body cryptobyte.String)) bool {
	if s.Empty() {
		return true
	}
	var all cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&all) {
		return false
	}
	for !all.Empty() {
		var kind uint16
		var body cryptobyte.String
		if !all.ReadUint16(&kind) || !all.ReadUint16LengthPrefixed(&body) {
			return false
		}
		each(kind, body)
	}
	return true
}

func protocols(body cryptobyte.String) (out [][]byte) {
	var list, name cryptobyte.String
	if !body.ReadUint16LengthPrefixed(&list) {
		return nil
	}
	for list.ReadUint8LengthPrefixed(&name) {
		out = append(out, name)
	}
	return out
}

func uint16s(s cryptobyte.String) (out []uint16) {
	var n uint16
	for s.ReadUint16(&n) {
		out = append(out, n)
	}
	return out
}
