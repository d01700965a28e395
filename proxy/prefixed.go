package proxy

import (
	"context"
	"crypto/tls"
	"net"
	"sync"

	"weir/proxy/contain"
)

// alertRecord is the size of a TLS record with an alert that is not encrypted.
const alertRecord = 7

// prefixed is a connection of which some bytes were read already, and which
// remembers the last bytes that it read during a handshake.
type prefixed struct {
	net.Conn
	prefix []byte
	over   bool // the handshake is over: remember nothing
	last   []byte

	held bool   // what is read is kept, and what is written goes nowhere
	seen []byte // what was read while held
}

// release ends the holding.
func (p *prefixed) release() { p.held, p.seen = false, nil }

func (p *prefixed) Write(b []byte) (int, error) {
	if p.held {
		return len(b), nil
	}
	return p.Conn.Write(b)
}

func (p *prefixed) Read(b []byte) (n int, err error) {
	if len(p.prefix) > 0 {
		n = copy(b, p.prefix)
		if p.prefix = p.prefix[n:]; len(p.prefix) == 0 {
			p.prefix = nil // a connection may last
		}
	} else {
		n, err = p.Conn.Read(b)
	}
	if p.held {
		p.seen = append(p.seen, b[:n]...)
	}
	if !p.over {
		p.last = append(p.last, b[max(0, n-alertRecord):n]...)
		p.last = p.last[max(0, len(p.last)-alertRecord):]
	}
	return n, err
}

// alert returns the fatal alert that the handshake ended with, where that was
// not encrypted (RFC 8446 §6). Clients built on OpenSSL refuse a certificate so
// even in TLS 1.3, where crypto/tls expects encryption and reports no more than
// a bad record.
func (p *prefixed) alert() (tls.AlertError, bool) {
	const handshakeAlert, fatal = 0x15, 2
	l := p.last
	if len(l) < alertRecord || l[0] != handshakeAlert || l[1] != 3 || l[3] != 0 || l[4] != 2 || l[5] != fatal {
		return 0, false
	}
	return tls.AlertError(l[6]), true
}

// apart makes a TLS handshake on a goroutine of its own and waits for it. The
// arithmetic needs a deep stack, which the goroutine of a connection would keep
// for as long as that lasts.
func (s *Server) apart(ctx context.Context, conn *tls.Conn) (err error) {
	var handshake sync.WaitGroup
	contain.Go(&handshake, func() { // ends with the deadline of the connection at the latest
		err = s.guard(func() error { return conn.HandshakeContext(ctx) })
	}, s.mistaken)
	handshake.Wait()
	return err
}
