package unseal

import (
	"bytes"

	"weir/proxy/handshake"
)

// Kind is the kind of an [Event].
type Kind uint8

// The kinds.
const (
	Data      Kind = iota + 1 // Event.Data is application data
	Gap                       // application data is missing: Event.Length bytes, 0 where that is not known
	Lost                      // the side stays sealed from here on, for Event.Reason
	Sealed                    // Event.Data is bytes of such a side, as they came
	SealedGap                 // Event.Length of them are missing
)

// Event is what a connection gives next.
type Event struct {
	Kind   Kind
	Side   int    // 0: of the client, 1: of the server
	Data   []byte // valid during the call
	Length int64
	Reason string
	AtNs   int64 // when the last byte of the record came
}

// Finder finds the secrets of a connection, nil where there are none.
type Finder func(Random) *Secrets

// Conn opens both directions of a connection. Make one with [New].
type Conn struct {
	// Halves is what the handshake says, encrypted or not.
	Halves [2]handshake.Half
	// Opened counts the encrypted records that could be opened.
	Opened uint64

	find    Finder
	shared  *Shared
	secrets *Secrets
	random  Random // of the last ClientHello
	hellos  int    // how many ClientHellos came
	server  *handshake.ServerHello
	suite   suite
	sides   [2]*side
	work    int64 // bytes that may yet be deciphered in vain
	yield   func(Event) error
}

// maxWork bounds what is deciphered in vain for one connection, in bytes.
const maxWork = 256 << 20

// New returns a Conn that begins with the first byte of either side.
func New(find Finder, shared *Shared) *Conn {
	c := &Conn{find: find, shared: shared, work: maxWork}
	for i := range c.sides {
		c.sides[i] = &side{c: c, index: i, half: &c.Halves[i]}
		c.Halves[i].Message = func(kind uint8, body []byte) { c.message(i, kind, body) }
	}
	return c
}

// Feed takes the next bytes of a side, which came at that time. Yield is called for
// what they amount to, in order; its error ends the call and is returned.
func (c *Conn) Feed(from int, p []byte, at int64, yield func(Event) error) error {
	c.yield = yield
	if err := c.sides[from].feed(p, at); err != nil {
		return err
	}
	if from == 1 {
		return c.sides[0].release()
	}
	return nil
}

// Gap says that the next n bytes of a side are missing.
func (c *Conn) Gap(from int, n, at int64, yield func(Event) error) error {
	c.yield = yield
	return c.sides[from].gap(n, at)
}

// Close says that nothing more comes: what is waited with is told, but for the
// beginning of a last record.
func (c *Conn) Close(at int64, yield func(Event) error) error {
	c.yield = yield
	for _, s := range c.sides {
		var err error
		switch {
		case s.hunt != nil:
			err = s.lose(unfound, s.buf, nil, at)
		case len(s.early) > 0:
			err = s.lose(c.unknown(), nil, nil, at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Done reports whether the handshake came to its end.
func (c *Conn) Done() bool { return c.sides[0].finished && c.sides[1].finished }

// version is that of the connection, 0 as long as the server has not said it.
func (c *Conn) version() uint16 {
	if c.server == nil {
		return 0
	}
	return c.server.Version
}

// message takes what a handshake message does to the keys.
func (c *Conn) message(from int, kind uint8, body []byte) {
	s := c.sides[from]
	switch kind {
	case handshake.MessageClientHello:
		if from == 0 && len(body) >= 2+len(c.random) {
			c.random = Random(body[2:])
			c.hellos++
			c.secrets = c.find(c.random)
			if c.secrets == nil && c.Halves[0].Client != nil {
				c.secrets = c.shared.Session(c.Halves[0].Client)
			}
		}
	case handshake.MessageServerHello:
		if from == 1 {
			c.greeted(body)
		}
	case handshake.MessageTicket:
		if from == 1 && c.version() < versionTLS13 && len(body) > ticketHeader {
			c.shared.remember(body[ticketHeader:], c.secrets)
		}
	case handshake.MessageEndOfEarlyData:
		s.advance(epochHandshake)
	case handshake.MessageFinished:
		s.finished = true
		if c.version() >= versionTLS13 {
			s.advance(epochTraffic)
		} else if c.server != nil {
			c.shared.remember(c.server.SessionID, c.secrets)
		}
	case handshake.MessageKeyUpdate:
		if c.version() >= versionTLS13 && s.epoch == epochTraffic {
			s.updated()
		}
	}
}

// greeted takes a ServerHello: with it the keys are known, if the secrets are.
func (c *Conn) greeted(body []byte) {
	hello, ok := handshake.ParseServerHello(bytes.Clone(body))
	if !ok {
		return
	}
	c.server = hello
	s, ok := lookup(hello.Cipher)
	if c.suite = s; !ok || hello.Retry || c.secrets == nil || hello.Compression != 0 {
		return
	}
	if hello.Version < versionTLS13 {
		for i, o := range oldOpeners(s, hello, c.random, c.secrets.of[master]) {
			c.sides[i].next = o
		}
		return
	}
	of := &c.secrets.of
	early := of[clientEarly]
	if !c.offersEarly() || c.hellos > 1 {
		early = nil
	}
	c.sides[0].modern(early, of[clientHandshake], of[clientTraffic])
	c.sides[1].modern(nil, of[serverHandshake], of[serverTraffic])
}

// offersEarly reports whether the client may send data before the server answers.
func (c *Conn) offersEarly() bool { return c.Halves[0].Client != nil && c.Halves[0].Client.EarlyData }

// unknown says why a connection cannot be opened.
func (c *Conn) unknown() string {
	switch {
	case c.secrets == nil:
		return "the key log has no secrets of this connection"
	case c.server == nil:
		return "what the server said first was not captured"
	case c.server.Compression != 0:
		return "the records are compressed"
	case c.suite.bulk == 0:
		return "weir does not know how to open its cipher suite"
	case c.version() < versionTLS13 && c.secrets.of[master] == nil,
		c.version() >= versionTLS13 && (c.secrets.of[clientTraffic] == nil || c.secrets.of[serverTraffic] == nil):
		return "the key log has not all secrets of this connection"
	}
	return "the secrets in the key log do not fit"
}
