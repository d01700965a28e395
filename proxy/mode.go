package proxy

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"weir/proxy/h1"
)

// ModeKind is how a server learns where its clients want to go.
type ModeKind uint8

// The kinds of modes.
const (
	Regular     ModeKind = iota // from their requests: an HTTP proxy
	Reverse                     // it is always the same server
	Upstream                    // from their requests, and another proxy is asked to go there
	SOCKS5                      // from their SOCKS5 requests (RFC 1928)
	Transparent                 // from where the system was sending them
	DNS                         // it is always the same resolver
)

// Mode is one way of taking connections. The zero Mode is regular. Make others
// with ParseMode.
type Mode struct {
	Kind ModeKind
	// Listen is the address that the spec asks for, "" where it asks for none.
	Listen string

	target   route  // of Reverse and Upstream; scheme is one of the table's
	user     string // for the upstream proxy
	password string
	login    bool // there are credentials
}

// ParseMode reads a spec of the form MODE[:DATA][@[HOST:]PORT], in which MODE
// and DATA are a row of the table of modes. host is what the address to listen
// on gets where the spec names a port alone.
//
// The address follows the last '@'. In the data of an upstream proxy an '@' may
// also end its credentials: a lone one does, unless a plain HOST[:PORT] is
// before it.
func ParseMode(spec, host string) (Mode, error) {
	what, at := spec, ""
	sign := addressSign(spec)
	if sign >= 0 {
		what, at = spec[:sign], spec[sign+1:]
	}
	name, data, hasData := strings.Cut(what, ":")
	for _, row := range modes {
		if !strings.EqualFold(row.name, name) {
			continue
		}
		m := Mode{Kind: row.kind}
		var err error
		switch {
		case row.data == "" && hasData:
			err = errors.New("takes nothing after a colon")
		case row.data != "" && (hasData || !row.bare):
			err = m.parseData(row, data)
		}
		if err == nil && sign >= 0 {
			m.Listen, err = listenAddress(at, host)
		}
		if err != nil {
			return Mode{}, fmt.Errorf("mode %q: %w", hidePassword(spec), err)
		}
		return m, nil
	}
	return Mode{}, fmt.Errorf("mode %q: not a mode of this weir", hidePassword(spec))
}

// addressSign returns where the '@' before the address to listen on is, or -1.
func addressSign(spec string) int {
	last := strings.LastIndexByte(spec, '@')
	if last < 0 || strings.Count(spec, "@") > 1 {
		return last
	}
	name, data, _ := strings.Cut(spec[:last], ":")
	if !strings.EqualFold(name, "upstream") {
		return last
	}
	if _, rest, ok := strings.Cut(data, "://"); ok {
		data = rest
	}
	if _, _, err := h1.ParseAuthority([]byte(data)); err != nil {
		return -1
	}
	return last
}

// parseData reads [SCHEME://][USER:PASSWORD@]HOST[:PORT][/].
func (m *Mode) parseData(row modeRow, data string) error {
	name, rest, ok := strings.Cut(data, "://")
	if !ok {
		name, rest = row.schemes[0].name, data
	}
	s, ok := row.scheme(strings.ToLower(name))
	if !ok {
		return fmt.Errorf("scheme %q is none of %s", name, row.schemeNames())
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 && m.Kind == Upstream {
		if err := m.parseLogin(rest[:i]); err != nil {
			return err
		}
		rest = rest[i+1:]
	}
	host, port, err := h1.ParseAuthority([]byte(strings.TrimSuffix(rest, "/")))
	switch {
	case err != nil:
		return err
	case port == 0 && s.port == 0:
		return fmt.Errorf("%s:// needs a port", s.name)
	}
	m.target = route{scheme: s.name, host: string(host), port: orPort(port, s.port)}
	return nil
}

func (m *Mode) parseLogin(userinfo string) error {
	user, password, _ := strings.Cut(userinfo, ":")
	var err error
	if m.user, err = url.PathUnescape(user); err == nil {
		m.password, err = url.PathUnescape(password)
	}
	if err != nil {
		return errors.New("the credentials are not percent-encoded as in a URL")
	}
	m.login = true
	return nil
}

// datagrams reports whether the mode takes UDP beside TCP.
func (m Mode) datagrams() bool {
	return m.Kind == DNS || m.Kind == Reverse && (m.target.scheme == "udp" || m.target.scheme == "dns")
}

// WithLogin returns m with the credentials for its upstream proxy replaced.
func (m Mode) WithLogin(user, password string) Mode {
	m.user, m.password, m.login = user, password, true
	return m
}

// HasLogin reports whether there are credentials for the upstream proxy.
func (m Mode) HasLogin() bool { return m.login }

func (r modeRow) scheme(name string) (scheme, bool) {
	for _, s := range r.schemes {
		if s.name == name {
			return s, true
		}
	}
	return scheme{}, false
}

func (r modeRow) schemeNames() string {
	names := make([]string, len(r.schemes))
	for i, s := range r.schemes {
		names[i] = s.name
	}
	return strings.Join(names, ", ")
}

// listenAddress completes [HOST:]PORT.
func listenAddress(at, host string) (string, error) {
	if !strings.Contains(at, ":") {
		at = net.JoinHostPort(host, at)
	}
	return at, CheckListen(at)
}

// CheckListen says what is wrong with an address to listen on.
func CheckListen(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		if _, perr := strconv.ParseUint(port, 10, 16); perr != nil {
			err = errors.New("a port is a number from 0 to 65535")
		}
	}
	if err != nil {
		return fmt.Errorf("listen address %q: %w", addr, err)
	}
	return nil
}

// Port is what the mode listens on where nothing else is said.
func (m Mode) Port() int { return m.Kind.row().port }

// String is the mode without credentials and without the address to listen on,
// as it is recorded with every connection that came in by it.
func (m Mode) String() string {
	name := m.Kind.row().name
	if m.target.host == "" {
		return name
	}
	if m.Kind == DNS {
		return name + ":" + m.target.hostPort()
	}
	return name + ":" + m.target.scheme + "://" + m.target.hostPort()
}

// secret is the password in a spec.
var secret = regexp.MustCompile(`(?i)^(upstream:(?:\w+://)?[^:@]*):.*@`)

// hidePassword leaves the password out of a spec that is shown.
func hidePassword(spec string) string { return secret.ReplaceAllString(spec, "$1:***@") }
