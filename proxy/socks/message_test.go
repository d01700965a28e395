package socks

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every message, cut anywhere, is asked for until it is whole, and takes no more.
func TestMessages(t *testing.T) {
	name := "\x05\x01\x00\x03\x07foo.com\x01\xbb"
	for _, tt := range []struct {
		name, in string
		parse    func(p []byte) (any, int, error)
		want     any
	}{
		{"greeting", "\x05\x02\x00\x02", greeting, []byte{0, 2}},
		{"no methods", "\x05\x00", greeting, []byte{}},
		{"login", "\x01\x01u\x02pw", login, [2]string{"u", "pw"}},
		{"empty login", "\x01\x00\x00", login, [2]string{"", ""}},
		{"name", name, request, Request{Connect, Address{"foo.com", 443}}},
		{"IPv4", "\x05\x03\x00\x01\x7f\x00\x00\x01\x00\x50", request, Request{Associate, Address{"127.0.0.1", 80}}},
		{"IPv6", "\x05\x02\x00\x04\x20\x01" + string(make([]byte, 13)) + "\x01\xff\xff", request, Request{Bind, Address{"2001::1", 65535}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for i := range len(tt.in) {
				if _, n, err := tt.parse([]byte(tt.in[:i])); n != 0 || err != nil {
					t.Errorf("cut at %d: took %d, %v", i, n, err)
				}
			}
			got, n, err := tt.parse([]byte(tt.in + "more"))
			if n != len(tt.in) || err != nil {
				t.Errorf("took %d of %d, %v", n, len(tt.in), err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func greeting(p []byte) (any, int, error) { m, n, err := ParseGreeting(p); return m, n, err }
func request(p []byte) (any, int, error)  { r, n, err := ParseRequest(p); return r, n, err }
func login(p []byte) (any, int, error) {
	u, pw, n, err := ParseLogin(p)
	return [2]string{u, pw}, n, err
}

func TestRefusals(t *testing.T) {
	if _, _, err := ParseGreeting([]byte{4}); !errors.Is(err, ErrVersion4) {
		t.Errorf("SOCKS 4: got %v", err)
	}
	if _, _, err := ParseGreeting([]byte("G")); err == nil {
		t.Error("HTTP: no error")
	}
	if _, _, _, err := ParseLogin([]byte{5}); err == nil {
		t.Error("login of version 5: no error")
	}
	var unknown *AddressError
	if _, _, err := ParseRequest([]byte{5, 1, 0, 9}); !errors.As(err, &unknown) || unknown.Kind != 9 {
		t.Errorf("kind 9: got %v", err)
	}
}

func TestReplies(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{string(AppendMethod(nil, NoMethod)), "\x05\xff"},
		{string(AppendLoginReply(nil, true)), "\x01\x00"},
		{string(AppendLoginReply(nil, false)), "\x01\x01"},
		{string(AppendReply(nil, HostUnreachable, Address{})), "\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00"},
		{string(AppendReply(nil, Succeeded, Address{"1.2.3.4", 256})), "\x05\x00\x00\x01\x01\x02\x03\x04\x01\x00"},
		{string(AppendVersion4Refusal(nil)), "\x00\x5b\x00\x00\x00\x00\x00\x00"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

// FuzzDatagram holds that a datagram that can be read is written again as it was.
func FuzzDatagram(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x7f\x00\x00\x01\x00\x35query"))
	f.Add([]byte("\x00\x00\x00\x03\x01a\x00\x35"))
	f.Add([]byte("\x00\x00\x01\x04"))
	f.Fuzz(func(t *testing.T, p []byte) {
		_, _, _, _ = ParseLogin(p)
		_, _, _ = ParseGreeting(p)
		_, _, _ = ParseRequest(p)
		d, err := ParseDatagram(p)
		if err != nil {
			return
		}
		again, err := ParseDatagram(AppendDatagram(nil, d.Address, d.Data))
		if d.Host == "" {
			return // an empty name becomes the unspecified address
		}
		if err != nil || again.Port != d.Port || !bytes.Equal(again.Data, d.Data) {
			t.Errorf("%x: got %+v, %v, want %+v", p, again, err, d)
		}
	})
}
