package h1

import (
	"bytes"
	"errors"
	"fmt"
)

// Form is the form of a request target (RFC 9112 §3.2).
type Form uint8

// The forms.
const (
	OriginForm    Form = iota + 1 // "/path?query"
	AbsoluteForm                  // "http://host/path", for proxies
	AuthorityForm                 // "host:port", of CONNECT
	AsteriskForm                  // "*", of OPTIONS
)

// Target is a request target taken apart. Its slices point into the target.
type Target struct {
	Form      Form
	Scheme    []byte // of AbsoluteForm, as sent
	Authority []byte // of AbsoluteForm and AuthorityForm: host[:port] as sent, without user information
	Host      []byte // the authority's, without the brackets of an IPv6 address
	Port      int    // 0 where none is given
	Path      []byte // with the query; may be empty, or begin with "?", in AbsoluteForm
}

// errTarget is what a target in no known form is told.
var errTarget = errors.New("request target is neither a path, an absolute URI, nor host:port")

// ParseTarget takes the target of a request with the given method apart. Beside
// an error it returns as much as could be told, which nothing must be sent to.
func ParseTarget(method, target []byte) (Target, error) {
	switch {
	case string(method) == "CONNECT":
		return parseAuthorityForm(target)
	case len(target) == 1 && target[0] == '*':
		return Target{Form: AsteriskForm, Path: target}, nil
	case len(target) > 0 && target[0] == '/':
		return Target{Form: OriginForm, Path: target}, nil
	}
	return parseAbsolute(target)
}

func parseAuthorityForm(target []byte) (Target, error) {
	host, port, err := ParseAuthority(target)
	if err == nil && port == 0 {
		err = errors.New("CONNECT target has no port")
	}
	return Target{Form: AuthorityForm, Authority: target, Host: host, Port: port}, err
}

// parseAbsolute reads scheme "://" [userinfo "@"] host [":" port] path.
func parseAbsolute(target []byte) (Target, error) {
	scheme, rest, ok := bytes.Cut(target, []byte("://"))
	if !ok || !isToken(scheme) {
		return Target{}, errTarget
	}
	end := bytes.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority := rest[:end]
	if at := bytes.LastIndexByte(authority, '@'); at >= 0 {
		authority = authority[at+1:]
	}
	host, port, err := ParseAuthority(authority)
	return Target{Form: AbsoluteForm, Scheme: scheme, Authority: authority, Host: host, Port: port, Path: rest[end:]}, err
}

// ParseAuthority splits host[:port] (RFC 3986 §3.2) as found in targets and in
// Host. The port is 0 where none is given, and 1–65535 otherwise. Beside an
// error the host is nil and the port 0.
func ParseAuthority(b []byte) (host []byte, port int, err error) {
	host = b
	if i := bytes.LastIndexByte(b, ':'); i >= 0 && bytes.IndexByte(b[i:], ']') < 0 {
		n, ok := parseLength(b[i+1:])
		if len(b) > i+1 && (!ok || n < 1 || n > 65535) {
			return nil, 0, fmt.Errorf("port %q is not a number from 1 to 65535", b[i+1:])
		}
		host, port = b[:i], int(n)
	}
	if len(host) > 1 && host[0] == '[' && host[len(host)-1] == ']' {
		host = host[1 : len(host)-1]
	} else if bytes.IndexByte(host, ':') >= 0 {
		return nil, 0, fmt.Errorf("host %q: an IPv6 address needs brackets", host)
	}
	if err := checkHost(host); err != nil {
		return nil, 0, err
	}
	return host, port, nil
}

// checkHost refuses what no resolver should be asked for.
func checkHost(host []byte) error {
	if len(host) == 0 {
		return errors.New("no host")
	}
	if len(host) > 255 {
		return fmt.Errorf("host of %d bytes over the limit of 255", len(host))
	}
	for _, c := range host {
		if c <= ' ' || c == 0x7f || bytes.IndexByte([]byte(`/\@?#[]<>"`), c) >= 0 {
			return fmt.Errorf("host %q contains %q", host, c)
		}
	}
	return nil
}
