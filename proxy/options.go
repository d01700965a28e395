package proxy

import (
	"context"
	"crypto/x509"
	"net"
	"strconv"
	"time"

	"weir/proxy/ca"
	"weir/proxy/h1"
	"weir/proxy/h2"
)

// Options say how a Server works. Only Sink must be set.
type Options struct {
	// Listen is the address to listen on; default 127.0.0.1 with the port of the mode. Port 0 takes a free one.
	Listen string
	// Mode is how clients say where they want to go; default regular.
	Mode Mode
	// KeepHost leaves the Host of requests to a reverse proxy as the client sent it.
	KeepHost bool
	// Auth knows who may use the proxy; default is everybody.
	Auth Authenticator
	// AllowPublic takes clients from public addresses, which are refused else.
	AllowPublic bool
	// Authority signs the certificates shown to clients. Without one TLS is not
	// intercepted: it is recorded as a TCP stream.
	Authority *ca.Authority
	// Sink receives everything that is seen.
	Sink Sink
	// Insecure accepts any certificate of a server. That it did not verify is recorded.
	Insecure bool
	// UpstreamCAs are trusted for servers in addition to the system's roots.
	UpstreamCAs *x509.CertPool
	// StripAltSvc keeps clients from learning of HTTP/3: without Alt-Svc in responses,
	// and without answers to questions for HTTPS records.
	StripAltSvc bool
	// TLS says how it is spoken.
	TLS TLSOptions
	// Ignore and Only are searched for in "host:port" of where a tunnel leads, by its
	// address and by the name the client asks TLS for. What Ignore finds, and with
	// Only what that does not, is passed through unopened.
	Ignore, Only []HostPattern
	// NoAutoIgnore goes on opening TLS for clients that refuse our certificate.
	NoAutoIgnore bool
	// Dial connects to servers; default a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Timeouts bound every wait.
	Timeouts Timeouts
	// Limits bound the heads that are read.
	Limits h1.Limits
	// HTTP2 bounds what a connection that speaks HTTP/2 may ask for.
	HTTP2 h2.Limits
	// Notify is told what the person at the terminal should know. It is called
	// from many goroutines and must not block; default is to drop notices.
	Notify func(Notice)

	own  *ownAddresses // shared by the servers of a Set
	pins *pinning
}

// Notice is something to tell the person at the terminal.
type Notice struct {
	Text string // one sentence, lower case, no full stop
	Hint string // what to do about it, where that is known
	// Details are lines for whoever mends weir: the stack of a mistake in it.
	Details string
}

// watchAfter is how long a server may be silent before the client is watched
// for having gone away. Fast exchanges never pay for the watching goroutine.
const watchAfter = time.Second

// watchAfter is watchAfter for this client. A stream that is reset takes no time to
// be told from one that waits, and clients of HTTP/2 reset what they do not want
// any more.
func (c *client) watchAfter() time.Duration {
	const stream = watchAfter / 20
	if c.stream != nil {
		return stream
	}
	return watchAfter
}

// bufferSize is the size of the read buffers: two TLS records.
const bufferSize = 32 << 10

// withDefaults returns o with every zero field replaced.
func (o Options) withDefaults() Options {
	if o.Listen == "" {
		o.Listen = net.JoinHostPort("127.0.0.1", strconv.Itoa(o.Mode.Port()))
	}
	if o.Notify == nil {
		o.Notify = func(Notice) {}
	}
	o.Timeouts = o.Timeouts.withDefaults()
	return o
}
