package e2e

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// startResolver answers every question for an A record with 192.0.2.7: over TCP,
// and over UDP for names that do not begin with "long", for which it says that
// the answer is too long for a datagram.
func startResolver(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pc, err := net.ListenPacket("udp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = pc.WriteTo(resolve(buf[:n], true), from)
		}
	})
	serving.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { resolveStream(conn) })
		}
	})
	t.Cleanup(func() { ln.Close(); pc.Close(); serving.Wait() })
	return ln.Addr().String()
}

// resolveStream answers the questions of a stream.
func resolveStream(conn net.Conn) {
	defer conn.Close()
	for {
		size := make([]byte, 2)
		if _, err := io.ReadFull(conn, size); err != nil {
			return
		}
		q := make([]byte, binary.BigEndian.Uint16(size))
		if _, err := io.ReadFull(conn, q); err != nil {
			return
		}
		a := resolve(q, false)
		_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(a))), a...))
	}
}

// resolve answers a question.
func resolve(query []byte, datagram bool) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	m.Truncated = datagram && strings.HasPrefix(q.Name.String(), "long")
	if q.Type == dnsmessage.TypeA && !m.Truncated {
		h := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 60}
		m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 7}}}}
	}
	p, _ := m.Pack() // of what was unpacked
	return p
}

// Go's resolver asks weir, which stands for another: by datagrams, and over TCP
// where it is told to. Each question with its answer is a flow.
func TestDNS(t *testing.T) {
	r := record(t, "--mode", "dns:"+startResolver(t)+"@0")
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, r.Addr)
	}}
	for _, name := range []string{"short.weir.test.", "long.weir.test."} {
		got, err := resolver.LookupIP(t.Context(), "ip4", name)
		if err != nil || len(got) != 1 || got[0].String() != "192.0.2.7" {
			t.Errorf("%s: got %v, %v, want 192.0.2.7", name, got, err)
		}
	}
	for _, want := range []struct {
		filter string
		flows  int
	}{{"~dns & ~u ^short", 1}, {"~dns & ~u ^long", 2}} {
		flows := complete(t, r.Session, want.flows, want.filter)
		var f struct {
			DNS struct {
				Response struct {
					Truncated bool              `json:"truncated"`
					Answers   []json.RawMessage `json:"answers"`
				} `json:"response"`
			} `json:"dns"`
		}
		last := flows[len(flows)-1].ID
		if err := json.Unmarshal(weir(t, "show", r.Session, fmt.Sprint(last), "--format", "json"), &f); err != nil {
			t.Fatal(err)
		}
		if f.DNS.Response.Truncated || len(f.DNS.Response.Answers) != 1 {
			t.Errorf("%s: got %+v, want an answer that is whole", want.filter, f.DNS)
		}
	}
	r.stop()
}
