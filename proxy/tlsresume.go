package proxy

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"net"
	"sync"
	"time"
)

// handshakes is what TLS connections of a server of ours have in common, so that a
// host that many connections go to costs little after the first.
type handshakes struct {
	sessions tls.ClientSessionCache // with servers (RFC 8446 §2.2)
	verdicts verdicts
}

func newHandshakes() *handshakes {
	const remembered = 256 // sessions, each with the server's certificates
	return &handshakes{sessions: tls.NewLRUClientSessionCache(remembered)}
}

// resume lets a connection to a server go on where an earlier one was, which
// spares both the signatures. That is not for servers that we show a certificate:
// they do not ask for it again, and nobody could tell whether they had it.
func (h *handshakes) resume(cfg *tls.Config, opts *TLSOptions, name string) {
	if certificateFor(opts.ClientCertificates, name) == nil {
		cfg.ClientSessionCache = h.sessions
	}
}

// verdicts remembers which chains verified, and which did not and why: servers show
// the same one each time. It is safe for concurrent use.
type verdicts struct {
	mu    sync.Mutex
	known map[verdictKey]verdict
}

// verdictKey is a name and a chain of certificates.
type verdictKey [sha256.Size]byte

type verdict struct {
	err   error
	until time.Time
}

// Bounds of what verdicts remembers.
const (
	maxVerdicts   = 1024
	verdictExpiry = 5 * time.Minute
)

func keyOfVerdict(name string, chain []*x509.Certificate) (k verdictKey) {
	h := sha256.New()
	h.Write([]byte(name))
	for _, c := range chain {
		sum := sha256.Sum256(c.Raw)
		h.Write(sum[:])
	}
	h.Sum(k[:0])
	return k
}

// of returns what verify says of a chain for that name, or said a short while ago.
func (v *verdicts) of(name string, chain []*x509.Certificate, verify func() error) error {
	key, now := keyOfVerdict(name, chain), time.Now()
	v.mu.Lock()
	known, ok := v.known[key]
	v.mu.Unlock()
	if ok && now.Before(known.until) {
		return known.err
	}
	known = verdict{err: verify(), until: now.Add(verdictExpiry)}
	for _, c := range chain {
		for _, change := range []time.Time{c.NotBefore, c.NotAfter} {
			if change.After(now) && change.Before(known.until) {
				known.until = change
			}
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.known == nil || len(v.known) >= maxVerdicts {
		v.known = make(map[verdictKey]verdict)
	}
	v.known[key] = known
	return known.err
}

// exchangesOn returns the key exchanges to agree on over conn, nil for all. Those
// that also withstand quantum computers are a third of what a handshake costs, and
// are for wires that somebody may record: not for those inside this machine.
func exchangesOn(conn net.Conn) []tls.CurveID {
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		return nil
	}
	return []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}
}
