package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	flowpb "weir/proto"
	"weir/proxy/packet"
	"weir/proxy/packet/pcap"
	"weir/proxy/packet/unseal"
)

// capture is what a network card would see of some connections.
type capture struct {
	mu      sync.Mutex
	packets [][]byte
}

// captured is a connection whose segments are kept.
type captured struct {
	net.Conn
	c    *capture
	ends [2]netip.AddrPort // ours, theirs
	seq  [2]uint32
}

// tap returns conn as one that is captured; accepted says that the other end began it.
func (c *capture) tap(conn net.Conn, accepted bool) net.Conn {
	at := func(a net.Addr) netip.AddrPort { return a.(*net.TCPAddr).AddrPort() }
	t := &captured{Conn: conn, c: c, ends: [2]netip.AddrPort{at(conn.LocalAddr()), at(conn.RemoteAddr())}}
	const syn, ack = 2, 16
	client := 0
	if accepted {
		client = 1
	}
	t.segment(client, syn, nil)
	t.segment(1-client, syn|ack, nil)
	t.seq = [2]uint32{1, 1}
	return t
}

// segment keeps a segment that one end sent.
func (t *captured) segment(from int, flags byte, p []byte) {
	t.c.mu.Lock()
	defer t.c.mu.Unlock()
	src, dst := t.ends[from], t.ends[1-from]
	for first := true; first || len(p) > 0; first = false {
		n := min(len(p), 1400)
		b := make([]byte, 40, 40+n)
		b[0], b[8], b[9] = 0x45, 64, 6
		binary.BigEndian.PutUint16(b[2:], uint16(40+n))
		copy(b[12:], src.Addr().AsSlice())
		copy(b[16:], dst.Addr().AsSlice())
		binary.BigEndian.PutUint16(b[20:], src.Port())
		binary.BigEndian.PutUint16(b[22:], dst.Port())
		binary.BigEndian.PutUint32(b[24:], t.seq[from])
		binary.BigEndian.PutUint32(b[28:], t.seq[1-from])
		b[32], b[33] = 5<<4, flags
		t.c.packets = append(t.c.packets, append(b, p[:n]...))
		t.seq[from] += uint32(n)
		p = p[n:]
	}
}

// Read implements net.Conn.
func (t *captured) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	if n > 0 {
		t.segment(1, 16, p[:n])
	}
	return n, err
}

// Write implements net.Conn.
func (t *captured) Write(p []byte) (int, error) {
	t.segment(0, 16, p)
	return t.Conn.Write(p)
}

// tappedListener captures what it accepts.
type tappedListener struct {
	net.Listener
	c *capture
}

// Accept implements net.Listener.
func (l tappedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.c.tap(conn, true), nil
}

// TestKeyLogOpensCapture sees that a capture of both sides of the proxy, opened with the
// key log that the proxy wrote, has the exchanges that the proxy recorded: on either
// side the same.
func TestKeyLogOpensCapture(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			var wire capture
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				_, _ = fmt.Fprintf(w, "%s %s, twice %[2]s", r.Method, r.URL.Path)
			}))
			srv.Listener = tappedListener{srv.Listener, &wire}
			srv.StartTLS()
			t.Cleanup(srv.Close)
			pool := x509.NewCertPool()
			pool.AddCert(srv.Certificate())
			a, trust := authority(t)
			var log lockedBuffer
			s, sink := start(t, Options{Authority: a, UpstreamCAs: pool, TLS: TLSOptions{KeyLog: &log, Max: version, ServerMax: version}})
			conn, err := net.Dial("tcp", s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			p := newPeer(t, wire.tap(conn, false))
			addr := srv.Listener.Addr().String()
			p.send("CONNECT " + addr + " HTTP/1.1\r\nHost: " + addr + "\r\n\r\n")
			p.expect(connectOK)
			inside := newPeer(t, tls.Client(p.Conn, &tls.Config{RootCAs: trust, ServerName: "example.com"}))
			inside.send("GET /one HTTP/1.1\r\nHost: example.com\r\n\r\n")
			inside.reply()
			inside.send("POST /two HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
			inside.reply()
			recorded := []*flowpb.Flow{sink.finished(t, 1), sink.finished(t, 2)}

			var keys unseal.Log
			keys.Add([]byte(log.String()))
			seen := newMemory()
			asm := packet.NewAssembler(seen, packet.Options{Keys: opener{&keys}})
			wire.mu.Lock()
			defer wire.mu.Unlock()
			for i, b := range wire.packets {
				if err := asm.Packet(t.Context(), pcap.Packet{AtNs: int64(i+1) * 1e6, Link: 101, Data: b, Length: len(b)}); err != nil {
					t.Fatal(err)
				}
			}
			if err := asm.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			counts := map[string]int{}
			for _, f := range seen.flows {
				counts[exchangeLine(seen, f)]++
			}
			want := map[string]int{"CONNECT 200 \"\" \"\"": 1}
			for _, f := range recorded {
				want[exchangeLine(sink, f)] = 2 // on both sides of the proxy
			}
			if diff := cmp.Diff(want, counts); diff != "" {
				t.Errorf("flows of the capture (-want +got):\n%s", diff)
			}
		})
	}
}

// opener finds secrets that are all there.
type opener struct{ log *unseal.Log }

// Find implements packet.Keys.
func (o opener) Find(r unseal.Random) (*unseal.Secrets, bool) { return o.log.Find(r), false }

// exchangeLine tells an exchange by what both sources must know of it.
func exchangeLine(m *memory, f *flowpb.Flow) string {
	q := f.GetHttp().GetRequest()
	line := fmt.Sprintf("%s %d %q %q", q.GetMethod(), f.GetHttp().GetResponse().GetStatus(),
		m.body(f.GetId(), flowpb.SideRequest), m.body(f.GetId(), flowpb.SideResponse))
	if string(q.GetMethod()) == "CONNECT" {
		return line
	}
	return fmt.Sprintf("%s %s%s", q.GetScheme(), q.GetPath(), " "+line)
}
