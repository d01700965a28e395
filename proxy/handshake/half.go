package handshake

import (
	"bytes"
	"encoding/binary"
)

// The types of records (RFC 8446, section 5.1).
const (
	RecordChangeCipher = 20 + iota
	RecordAlert
	RecordHandshake
	RecordData
)

// The types of handshake messages that somebody looks at (RFC 8446, section 4).
const (
	MessageClientHello    = 1
	MessageServerHello    = 2
	MessageTicket         = 4 // NewSessionTicket
	MessageEndOfEarlyData = 5
	MessageEncrypted      = 8 // EncryptedExtensions
	MessageCertificate    = 11
	MessageFinished       = 20
	MessageKeyUpdate      = 24
	MessageCompressed     = 25 // CompressedCertificate (RFC 8879)
)

// Sizes in bytes. A record may be larger than its plaintext by what encryption adds.
const (
	recordHeader  = 5
	maxRecord     = 1<<14 + 2048
	messageHeader = 4
	alertSize     = 2
	maxMessage    = 64 << 10
)

// Alert says why an end gives up (RFC 8446, section 6).
type Alert struct{ Level, Description uint8 }

// Fatal reports whether nothing comes after it; a warning may be passed over.
func (a *Alert) Fatal() bool { return a.Level == 2 }

// Notice reports whether it says no more than that an end sends nothing more.
func (a *Alert) Notice() bool { return a.Description == 0 || a.Description == 90 }

// Half is one direction of a connection. Its zero value is ready. What the fields
// point to is the Half's own and does not change any more.
type Half struct {
	Client       *ClientHello // of the client, the first
	Server       *ServerHello // of the server, the first that is no HelloRetryRequest, where one came
	Certificates [][]byte     // in DER, leaf first
	Alert        *Alert       // the last in clear, or opened
	// Encrypted says that the server's EncryptedExtensions were opened, and EarlyData
	// that it takes early data by them.
	Encrypted, EarlyData bool
	// ChangedCipher says that records are encrypted from there on, or, in TLS 1.3,
	// nothing at all.
	ChangedCipher bool
	LongestData   int  // the length of the longest record of encrypted data; 0: there was none
	Broken        bool // it is no TLS, or no handshake that can be followed
	// Message, if set, is told each handshake message behind its reading, without
	// its header. The body is valid during the call.
	Message func(kind uint8, body []byte)

	header  []byte // of the record that comes
	left    int    // bytes of the record that are missing
	message []byte // what there is of the handshake message that comes
	alert   []byte
	modern  bool // messages have the form of TLS 1.3
}

// Feed takes the next bytes of the direction.
func (h *Half) Feed(p []byte) {
	for len(p) > 0 && !h.Broken {
		if h.left == 0 {
			n := min(len(p), recordHeader-len(h.header))
			h.header = append(h.header, p[:n]...)
			p = p[n:]
			h.begin()
			continue
		}
		n := min(len(p), h.left)
		h.content(p[:n])
		p = p[n:]
		if h.left -= n; h.left == 0 {
			h.header = h.header[:0]
		}
	}
	if h.Broken {
		h.header, h.message, h.alert = nil, nil, nil
	}
}

// begin looks at the header of a record once it is whole.
func (h *Half) begin() {
	if len(h.header) < recordHeader {
		return
	}
	kind := h.header[0]
	h.left = int(binary.BigEndian.Uint16(h.header[3:]))
	h.alert = h.alert[:0]
	h.Broken = kind < RecordChangeCipher || kind > RecordData || h.header[1] != 3 || h.left > maxRecord
	switch {
	case kind == RecordChangeCipher:
		h.ChangedCipher = true
	case kind == RecordData:
		h.LongestData = max(h.LongestData, h.left)
	}
	if h.left == 0 {
		h.header = h.header[:0]
	}
}

// content takes bytes of a record. Those behind a change of the cipher are encrypted.
func (h *Half) content(p []byte) {
	if h.ChangedCipher {
		return
	}
	switch h.header[0] {
	case RecordAlert:
		if binary.BigEndian.Uint16(h.header[3:]) != alertSize { // encrypted, or none
			return
		}
		if h.alert = append(h.alert, p...); len(h.alert) == alertSize {
			h.Alert = &Alert{h.alert[0], h.alert[1]}
		}
	case RecordHandshake:
		h.message = append(h.message, p...)
		h.messages()
	}
}

// Opened takes the content of a whole record, of a connection of that version, from
// somebody who splits the records himself and opens those that are encrypted.
func (h *Half) Opened(version uint16, kind uint8, p []byte) {
	h.modern = version >= versionTLS13
	switch {
	case h.Broken:
	case kind == RecordAlert && len(p) == alertSize:
		h.Alert = &Alert{p[0], p[1]}
	case kind == RecordHandshake:
		h.message = append(h.message, p...)
		h.messages()
	}
}

// Lose says that bytes of the handshake are missing: the message that comes is
// forgotten, and the next begins with the next record.
func (h *Half) Lose() { h.message = nil }

// messages reads the handshake messages that are whole.
func (h *Half) messages() {
	for len(h.message) >= messageHeader && !h.Broken {
		n := messageHeader + int(binary.BigEndian.Uint32(h.message)&0xffffff)
		if n > maxMessage {
			h.Broken = true
			return
		}
		if len(h.message) < n {
			return
		}
		kind, body := h.message[0], h.message[messageHeader:n]
		h.Broken = !h.read(kind, body)
		if h.Message != nil && !h.Broken {
			h.Message(kind, body)
		}
		h.message = h.message[n:]
	}
	if len(h.message) == 0 {
		h.message = nil
	}
}

// read takes one message and reports whether it makes sense.
func (h *Half) read(kind uint8, body []byte) (ok bool) {
	switch {
	case kind == MessageClientHello && h.Client == nil:
		h.Client, ok = parseClientHello(bytes.Clone(body))
	case kind == MessageServerHello && (h.Server == nil || h.Server.Retry):
		h.Server, ok = ParseServerHello(bytes.Clone(body))
	case kind == MessageEncrypted && h.modern && h.Server != nil:
		h.Encrypted = true
		h.Server.Protocol, h.EarlyData, ok = parseEncrypted(bytes.Clone(body))
	case kind == MessageCompressed && h.modern && h.Certificates == nil:
		h.Certificates, ok = parseCompressed(body)
	case kind == MessageCertificate && h.Certificates == nil:
		h.Certificates, ok = parseCertificates(bytes.Clone(body), h.modern)
	default:
		return true
	}
	return ok
}

// minFinished is the shortest record that holds TLS 1.3's Finished, in bytes: its
// header, a hash, the type and the shortest tag. One of an alert is shorter.
const minFinished = messageHeader + 32 + 1 + 8

// Done reports whether both halves are through with their handshake.
func Done(client, server *Half) bool {
	if server.Server == nil {
		return false
	}
	if server.Server.Version >= versionTLS13 {
		return server.LongestData > 0 && client.LongestData >= minFinished
	}
	return client.ChangedCipher && server.ChangedCipher
}

// Resumed reports whether they went on with an earlier session: by its ticket, or its
// number (RFC 5246, section 7.3).
func Resumed(c *ClientHello, s *ServerHello) bool {
	if s.Version >= versionTLS13 {
		return s.PSK
	}
	return len(s.SessionID) > 0 && bytes.Equal(c.SessionID, s.SessionID)
}
