package proxy

import (
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	flowpb "weir/proto"
	"weir/proxy/socks"
)

// initial is a QUIC packet that begins a connection.
func initial(version uint32) string {
	p := binary.BigEndian.AppendUint32([]byte{0xc3}, version)
	p = append(p, "\x08DESTINAT\x04SRCE"...)
	return string(append(p, make([]byte, 1200-len(p))...))
}

func TestIsQUIC(t *testing.T) {
	for _, tt := range []struct {
		name string
		p    string
		want bool
	}{
		{"version 1", initial(1), true},
		{"version 2", initial(0x6b3343cf), true},
		{"draft 29", initial(0xff00001d), true},
		{"Q050", initial(0x51303530), true},
		{"GREASE", initial(0x1a2a3a4a), true},
		{"another version", initial(0x12345678), false},
		{"too short", initial(1)[:1199], false},
		{"short header", "\x43" + initial(1)[1:], false},
		{"nothing", "", false},
	} {
		if got := isQUIC([]byte(tt.p)); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
	long := "\xc3\x00\x00\x00\x01\xff" + strings.Repeat("x", 1200)
	if got := noVersion([]byte(long)[:200]); got != nil {
		t.Errorf("half an ID is answered with %q", got)
	}
}

// QUIC by way of SOCKS is told that no version is spoken, and is a flow.
func TestQUICIsRefused(t *testing.T) {
	to := udpOrigin(t, func([]byte) [][]byte { t.Error("QUIC reached the server"); return nil })
	s, sink := start(t, mode(t, "socks5@0"))
	c := dial(t, s)
	c.send("\x05\x01\x00\x05\x03\x00\x01\x00\x00\x00\x00\x00\x00")
	c.expect("\x05\x00")
	reply := make([]byte, 10)
	if _, err := io.ReadFull(c.r, reply); err != nil {
		t.Fatal(err)
	}
	conn := udpClient(t, net.JoinHostPort("127.0.0.1", strconv.Itoa(int(binary.BigEndian.Uint16(reply[8:])))))
	head := string(socks.AppendDatagram(nil, socks.Address{Host: to.host, Port: to.port}, nil))
	got := exchangeDatagram(t, conn, head+initial(1))
	if want := head + "\x80\x00\x00\x00\x00\x04SRCE\x08DESTINAT\x0a\x0a\x0a\x0a"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if f := sink.finished(t, 1); f.GetUdp() == nil || f.Error.GetCode() != flowpb.CodeRefused || !strings.Contains(f.Error.Message, "QUIC") {
		t.Errorf("recorded %v", f)
	}
	c.Close()
}

// Responses lose Alt-Svc on request, and keep all else.
func TestStripAltSvc(t *testing.T) {
	addr := origin(t, func(p *peer) {
		p.head()
		p.send("HTTP/1.1 200 OK\r\nA:1\r\nalt-svc: h3=\":443\"\r\nContent-Length: 2\r\n\r\nok")
	})
	s, sink := start(t, Options{StripAltSvc: true})
	c := dial(t, s)
	c.send(get(addr))
	c.expect("HTTP/1.1 200 OK\r\nA:1\r\nContent-Length: 2\r\n\r\nok")
	if f := sink.finished(t, 1); metaOf(f, "stripped") != "Alt-Svc" || len(f.GetHttp().Response.Headers) != 3 {
		t.Errorf("recorded %v", f)
	}

	h2, pool := h2Origin(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Alt-Svc", `h3=":443"`) })
	a, trust := authority(t)
	s, sink = start(t, Options{StripAltSvc: true, Authority: a, UpstreamCAs: pool})
	res, _, err := ask(h2Client(t, s, h2, trust), h2Request("GET", "https://"+h2+"/", nil))
	if err != nil || res.ProtoMajor != 2 || res.Header.Get("Alt-Svc") != "" {
		t.Errorf("HTTP/2: got %v, %v", res, err)
	}
	if f := sink.finished(t, 1); metaOf(f, "stripped") != "Alt-Svc" {
		t.Errorf("recorded %v", f)
	}
}

// Questions for HTTPS and SVCB records find nothing on request; others are answered:
// in datagrams, and over a stream in pieces of any size.
func TestStripHTTPSRecords(t *testing.T) {
	kinds := map[dnsmessage.Type]int{64: 0, 65: 0, dnsmessage.TypeA: 1}
	check := func(t *testing.T, kind dnsmessage.Type, answer string) {
		t.Helper()
		var m dnsmessage.Message
		if err := m.Unpack([]byte(answer)); err != nil || len(m.Answers) != kinds[kind] || m.RCode != dnsmessage.RCodeSuccess {
			t.Errorf("type %v: got %v, %v, want %d answers", kind, m, err, kinds[kind])
		}
	}
	t.Run("UDP", func(t *testing.T) {
		to := udpOrigin(t, func(p []byte) [][]byte { return [][]byte{echoType(t, p)} })
		to.scheme = "dns"
		conn, sink := datagramRelay(t, Options{StripAltSvc: true}, to)
		for kind := range kinds {
			check(t, kind, exchangeDatagram(t, conn, askFor(t, kind)))
		}
		sink.finished(t, 3)
	})
	t.Run("TCP", func(t *testing.T) {
		addr := origin(t, func(p *peer) {
			for {
				q, err := takeFramed(p)
				if err != nil {
					return
				}
				a := framed(string(echoType(t, q)))
				p.send(a[:1])
				p.send(a[1:20])
				p.send(a[20:])
			}
		})
		s, sink := start(t, Options{StripAltSvc: true, Dial: dialTo(addr)})
		c := tunnel(t, s, "resolver.test:53")
		for kind := range kinds {
			c.send(framed(askFor(t, kind)))
			answer, err := takeFramed(c)
			if err != nil {
				t.Fatal(err)
			}
			check(t, kind, string(answer))
		}
		sink.finished(t, 3)
	})
}

// askFor packs a question for a type of records.
func askFor(t *testing.T, kind dnsmessage.Type) string {
	t.Helper()
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("a.test."), Type: kind, Class: dnsmessage.ClassINET}},
	}
	p, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return string(p)
}

// echoType answers a question with one record of the type that was asked for.
func echoType(t *testing.T, query []byte) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		t.Error(err)
		return nil
	}
	m.Response = true
	m.Answers = []dnsmessage.Resource{{
		Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Type: m.Questions[0].Type, Class: dnsmessage.ClassINET},
		Body:   &dnsmessage.UnknownResource{Type: m.Questions[0].Type, Data: []byte{1, 2, 3, 4}},
	}}
	out, err := m.Pack()
	if err != nil {
		t.Error(err)
	}
	return out
}

// takeFramed reads one message of a stream.
func takeFramed(p *peer) ([]byte, error) {
	size := make([]byte, 2)
	if _, err := io.ReadFull(p.r, size); err != nil {
		return nil, err
	}
	m := make([]byte, binary.BigEndian.Uint16(size))
	_, err := io.ReadFull(p.r, m)
	return m, err
}
