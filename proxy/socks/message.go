package socks

import (
	"errors"
	"fmt"
)

// The methods of logging in (RFC 1928 §3).
const (
	NoLogin     byte = 0x00
	LoginMethod byte = 0x02 // user name and password
	NoMethod    byte = 0xff // none that the client offers
)

// Command is what a client asks for.
type Command byte

// The commands (RFC 1928 §4).
const (
	Connect   Command = 1
	Bind      Command = 2
	Associate Command = 3 // relay datagrams
)

// Code answers a request (RFC 1928 §6).
type Code byte

// The codes of replies.
const (
	Succeeded Code = iota
	GeneralFailure
	NotAllowed
	NetworkUnreachable
	HostUnreachable
	ConnectionRefused
	TTLExpired
	CommandNotSupported
	AddressNotSupported
)

// version is the first byte of every message but those of a login.
const version = 5

// ErrVersion4 is a greeting of SOCKS 4, which has another shape.
var ErrVersion4 = errors.New("the client speaks SOCKS 4, and SOCKS 5 is spoken here")

// Request is what a client wants to reach.
type Request struct {
	Command Command
	Address
}

// ParseGreeting reads the methods that a client offers.
func ParseGreeting(p []byte) (methods []byte, n int, err error) {
	if err := checkVersion(p); err != nil {
		return nil, 0, err
	}
	if len(p) < 2 || len(p) < 2+int(p[1]) {
		return nil, 0, nil
	}
	n = 2 + int(p[1])
	return p[2:n], n, nil
}

func checkVersion(p []byte) error {
	switch {
	case len(p) == 0 || p[0] == version:
		return nil
	case p[0] == 4:
		return ErrVersion4
	}
	return fmt.Errorf("the client does not speak SOCKS: it begins with byte 0x%02x", p[0])
}

// AppendMethod answers a greeting.
func AppendMethod(dst []byte, method byte) []byte { return append(dst, version, method) }

// ParseLogin reads a user name and a password.
func ParseLogin(p []byte) (user, password string, n int, err error) {
	const loginVersion = 1
	if len(p) > 0 && p[0] != loginVersion {
		return "", "", 0, fmt.Errorf("version %d of a SOCKS login", p[0])
	}
	if len(p) < 2 || len(p) < 3+int(p[1]) {
		return "", "", 0, nil
	}
	at := 2 + int(p[1])
	n = at + 1 + int(p[at])
	if len(p) < n {
		return "", "", 0, nil
	}
	return string(p[2:at]), string(p[at+1 : n]), n, nil
}

// AppendLoginReply answers a login. The connection ends where it was no good.
func AppendLoginReply(dst []byte, good bool) []byte {
	status := byte(1)
	if good {
		status = 0
	}
	return append(dst, 1, status)
}

// ParseRequest reads what a client wants. An address of an unknown kind is an
// *AddressError, to be answered with AddressNotSupported.
func ParseRequest(p []byte) (r Request, n int, err error) {
	if err := checkVersion(p); err != nil {
		return Request{}, 0, err
	}
	const head = 3 // version, command, reserved
	if len(p) < head {
		return Request{}, 0, nil
	}
	a, took, err := parseAddress(p[head:])
	if took == 0 || err != nil {
		return Request{}, 0, err
	}
	return Request{Command: Command(p[1]), Address: a}, head + took, nil
}

// AppendReply answers a request. bound is the address that was taken for it, the
// zero Address where there is none.
func AppendReply(dst []byte, code Code, bound Address) []byte {
	return bound.append(append(dst, version, byte(code), 0))
}

// AppendVersion4Refusal refuses a client of SOCKS 4 in its own words.
func AppendVersion4Refusal(dst []byte) []byte {
	const rejected = 0x5b
	return append(dst, 0, rejected, 0, 0, 0, 0, 0, 0)
}
