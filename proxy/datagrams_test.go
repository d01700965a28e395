package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"

	flowpb "weir/proto"
)

// datagramRelay runs a server before to, and returns a socket that talks to it.
func datagramRelay(t *testing.T, opts Options, to route) (*net.UDPConn, *memory) {
	t.Helper()
	opts.Mode = Mode{Kind: Reverse, target: to}
	s, sink := start(t, opts)
	return udpClient(t, s.Addr().String()), sink
}

func udpClient(t *testing.T, addr string) *net.UDPConn {
	t.Helper()
	conn, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn.(*net.UDPConn)
}

// exchangeDatagram sends a datagram and returns the next that comes.
func exchangeDatagram(t *testing.T, conn net.Conn, p string) string {
	t.Helper()
	if _, err := conn.Write([]byte(p)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, maxDatagram)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatalf("no answer to %.40q: %v", p, err)
	}
	return string(buf[:n])
}

// udpOrigin answers datagrams.
func udpOrigin(t *testing.T, answer func(p []byte) [][]byte) route {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, maxDatagram)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			for _, p := range answer(bytes.Clone(buf[:n])) {
				if p != nil {
					_, _ = pc.WriteTo(p, from)
				}
			}
		}
	}()
	t.Cleanup(func() { pc.Close(); <-done })
	addr := pc.LocalAddr().(*net.UDPAddr)
	return route{scheme: "udp", host: addr.IP.String(), port: addr.Port}
}

// TestDatagrams has one flow for each client and server, with what was said.
func TestDatagrams(t *testing.T) {
	to := udpOrigin(t, func(p []byte) [][]byte { return [][]byte{append([]byte("re: "), p...), {}} })
	conn, sink := datagramRelay(t, Options{Timeouts: Timeouts{Datagrams: 50 * time.Millisecond}}, to)
	large := strings.Repeat("x", 20_000)
	for _, p := range []string{"a", "", large} {
		if got := exchangeDatagram(t, conn, p); got != "re: "+p {
			t.Errorf("got %.40q, want an answer to %.40q", got, p)
		}
		if n, err := conn.Read(make([]byte, 10)); n != 0 || err != nil {
			t.Errorf("an empty datagram: got %d bytes, %v", n, err)
		}
	}
	f := sink.finished(t, 1)
	u := f.GetUdp()
	if f.Error != nil || u.GetMessages() != 9 || u.GetClientBytes() != 20_001 || u.GetServerBytes() != 20_013 || u.GetEndedNs() == 0 {
		t.Errorf("got %v", f)
	}
	if got, want := string(f.Client), conn.LocalAddr().String(); got != want {
		t.Errorf("client: got %s, want %s", got, want)
	}
	sink.await(t, "the connections' ends", func() bool {
		return len(sink.conns) == 2 && sink.conns[0].EndedNs > 0 && sink.conns[1].EndedNs > 0
	})
	client, server := sink.conn(f.ClientConn), sink.conn(f.ServerConn)
	if client.Transport != flowpb.TransportUDP || server.Transport != flowpb.TransportUDP || string(server.Peer.Host) != "127.0.0.1" || int(server.Peer.Port) != to.port {
		t.Errorf("connections: got %v and %v", client, server)
	}
}

// TestDatagramsRefused is a server that is not there.
func TestDatagramsRefused(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := pc.LocalAddr().(*net.UDPAddr)
	pc.Close()
	conn, sink := datagramRelay(t, Options{}, route{scheme: "udp", host: "127.0.0.1", port: addr.Port})
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if f := sink.finished(t, 1); f.Error.GetCode() != flowpb.CodeConnect || f.GetUdp().GetMessages() != 1 {
		t.Errorf("got %v, want an error about the connection", f)
	}
}

// TestDatagramsStopped records what is open when weir is stopped.
func TestDatagramsStopped(t *testing.T) {
	heard := make(chan struct{})
	to := udpOrigin(t, func([]byte) [][]byte { close(heard); return nil })
	s, sink := start(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	d := s.newDatagrams(s.Addr())
	d.deliver(ctx, &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 7}, to, []byte("hello"), func([]byte) error { return nil })
	<-heard
	cancel()
	f := sink.finished(t, 1)
	d.close()
	if f.Error.GetCode() != flowpb.CodeStopped || string(f.Client) != "192.0.2.1:7" {
		t.Errorf("got %v, want it stopped", f)
	}
}

// TestDatagramsDropped tells of what is dropped while a name is resolved.
func TestDatagramsDropped(t *testing.T) {
	resolved := make(chan struct{})
	told := make(chan Notice, 10)
	s, sink := start(t, Options{
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			<-resolved
			var d net.Dialer
			return d.DialContext(ctx, network, "127.0.0.1:9")
		},
		Notify: func(n Notice) { told <- n },
	})
	d := s.newDatagrams(s.Addr())
	for range maxQueued + 5 {
		d.deliver(t.Context(), &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 7}, route{scheme: "udp", host: "slow.test", port: 9}, []byte("x"), func([]byte) error { return nil })
	}
	if n := <-told; !strings.Contains(n.Text, "192.0.2.1:7 was dropped") {
		t.Errorf("notice: got %q", n.Text)
	}
	close(resolved)
	d.close()
	sink.finished(t, 1)
	if len(told) != 0 {
		t.Errorf("more notices: got %d, want one a minute", len(told))
	}
}

// question packs a query.
func question(t *testing.T, id uint16, name string) string {
	t.Helper()
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
	}
	p, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return string(p)
}

// answerTo packs an answer to a query: one address for every name but
// nothing.test, none at all for silent.test.
func answerTo(t *testing.T, query []byte) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		t.Errorf("query: %v", err)
		return nil
	}
	m.Response, m.RecursionAvailable = true, true
	switch m.Questions[0].Name.String() {
	case "silent.test.":
		return nil
	case "nothing.test.":
		m.RCode = dnsmessage.RCodeNameError
	default:
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 60},
			Body:   &dnsmessage.AResource{A: [4]byte{192, 0, 2, 7}},
		}}
	}
	p, err := m.Pack()
	if err != nil {
		t.Error(err)
	}
	return p
}

// dnsLine is what a flow says of a question.
func dnsLine(f *flowpb.Flow) string {
	d := f.GetDns()
	s := fmt.Sprintf("%s %s", f.State, d.GetRequest().GetQuestions()[0].GetName())
	if r := d.GetResponse(); r != nil {
		s += fmt.Sprintf(" code %d", r.ResponseCode)
		for _, a := range r.Answers {
			s += fmt.Sprintf(" %v", net.IP(a.Data))
		}
	}
	if f.Error != nil {
		s += " " + f.Error.Code.String()
	}
	return strings.TrimPrefix(s, "STATE_")
}

// TestDNS has a flow for each question, over UDP and TCP, also for one that is
// asked twice, and one that gets no answer.
func TestDNS(t *testing.T) {
	want := []string{"COMPLETE a.test code 0 192.0.2.7", "COMPLETE nothing.test code 3", "ERROR silent.test ERROR_CODE_STOPPED"}
	t.Run("UDP", func(t *testing.T) {
		to := udpOrigin(t, func(p []byte) [][]byte { return [][]byte{answerTo(t, p)} })
		to.scheme = "dns"
		sink := newMemory()
		s, err := Listen(t.Context(), Options{Sink: sink, Listen: "127.0.0.1:0", Mode: Mode{Kind: DNS, target: to}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- s.Serve(ctx) }()
		conn := udpClient(t, s.Addr().String())
		for i, name := range []string{"a.test.", "nothing.test."} {
			q := question(t, uint16(i), name)
			got := exchangeDatagram(t, conn, q)
			if a := string(answerTo(t, []byte(q))); got != a {
				t.Errorf("%s: got %q, want %q", name, got, a)
			}
		}
		for range 2 {
			_, _ = conn.Write([]byte(question(t, 2, "silent.test."))) // asked twice, for want of an answer
		}
		sink.await(t, "the question that is repeated", func() bool { return len(sink.messages) == 6 })
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: got %v", err)
		}
		checkDNS(t, sink, want)
	})
	t.Run("TCP", func(t *testing.T) {
		addr := origin(t, func(p *peer) {
			for {
				size := make([]byte, 2)
				if _, err := io.ReadFull(p.r, size); err != nil {
					return
				}
				q := make([]byte, binary.BigEndian.Uint16(size))
				_, _ = io.ReadFull(p.r, q)
				if a := answerTo(t, q); a != nil {
					p.send(framed(string(a)))
				}
			}
		})
		s, sink := start(t, Options{Dial: dialTo(addr)})
		c := tunnel(t, s, "resolver.test:53")
		for i, name := range []string{"a.test.", "nothing.test."} {
			q := question(t, uint16(i), name)
			c.send(framed(q))
			c.expect(framed(string(answerTo(t, []byte(q)))))
		}
		c.send(framed(question(t, 2, "silent.test.")))
		c.Close()
		checkDNS(t, sink, append(want[:2:2], "ERROR silent.test ERROR_CODE_TIMEOUT"))
	})
}

// framed is a message as a stream has it.
func framed(p string) string { return string(binary.BigEndian.AppendUint16(nil, uint16(len(p)))) + p }

func checkDNS(t *testing.T, sink *memory, want []string) {
	t.Helper()
	sink.finished(t, uint64(len(want)))
	sink.mu.Lock()
	defer sink.mu.Unlock()
	var got []string
	for _, f := range sink.flows {
		got = append(got, dnsLine(f))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("flows (-want +got):\n%s", diff)
	}
}

// TestDNSOverTCP has the mode for DNS take both, as resolvers do for what is too
// long for a datagram.
func TestDNSOverTCP(t *testing.T) {
	addr := origin(t, func(p *peer) {
		p.expect(framed("\x00\x09" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
		p.send(framed("\x00\x09" + "\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	})
	s, sink := start(t, mode(t, "dns:"+addr+"@0"))
	c := dial(t, s)
	c.send(framed("\x00\x09" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	c.expect(framed("\x00\x09" + "\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f := sink.finished(t, 1)
	if f.State != flowpb.StateComplete || f.GetDns().GetRequest().GetId() != 9 || f.GetDns().GetResponse().GetId() != 9 {
		t.Errorf("got %v", f)
	}
	if got, want := sink.conn(f.ClientConn).Mode, "dns:"+addr; got != want {
		t.Errorf("mode: got %q, want %q", got, want)
	}
}

// TestDNSOverTLS reads the questions in TLS that is intercepted.
func TestDNSOverTLS(t *testing.T) {
	a, pool := authority(t)
	leaf := selfSigned(t, a)
	addr := origin(t, func(p *peer) {
		secure := newPeer(t, tls.Server(p.Conn, &tls.Config{Certificates: []tls.Certificate{*leaf}}))
		q := make([]byte, 2+len(question(t, 7, "a.test.")))
		_, _ = io.ReadFull(secure.r, q)
		secure.send(framed(string(answerTo(t, q[2:]))))
		_, _ = io.Copy(io.Discard, secure.r) // a client that has not read all resets
	})
	s, sink := start(t, Options{Authority: a, UpstreamCAs: pool, Dial: dialTo(addr)})
	conn := tls.Client(tunnel(t, s, "bench.test:853").Conn, &tls.Config{RootCAs: pool, ServerName: "bench.test"})
	c := newPeer(t, conn)
	q := question(t, 7, "a.test.")
	c.send(framed(q))
	c.expect(framed(string(answerTo(t, []byte(q)))))
	c.Close()
	f := sink.finished(t, 1)
	if got := dnsLine(f); got != "COMPLETE a.test code 0 192.0.2.7" || sink.conn(f.ClientConn).Tls == nil {
		t.Errorf("got %s, %v", got, sink.conn(f.ClientConn))
	}
}

// TestAssociate relays datagrams of a SOCKS client, DNS among them, until its
// connection ends.
func TestAssociate(t *testing.T) {
	echo := udpOrigin(t, func(p []byte) [][]byte { return [][]byte{append([]byte("re: "), p...)} })
	resolver := udpOrigin(t, func(p []byte) [][]byte { return [][]byte{answerTo(t, p)} })
	opts := mode(t, "socks5@0")
	opts.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == "resolver.test:53" {
			address = resolver.hostPort()
		}
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	}
	s, sink := start(t, opts)
	c := dial(t, s)
	c.send("\x05\x01\x00\x05\x03\x00\x01\x00\x00\x00\x00\x00\x00")
	c.expect("\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01")
	port := make([]byte, 2)
	if _, err := io.ReadFull(c.r, port); err != nil {
		t.Fatal(err)
	}
	conn := udpClient(t, fmt.Sprintf("127.0.0.1:%d", binary.BigEndian.Uint16(port)))
	head := "\x00\x00\x00\x01\x7f\x00\x00\x01" + string(binary.BigEndian.AppendUint16(nil, uint16(echo.port)))
	if got := exchangeDatagram(t, conn, head+"hello"); got != head+"re: hello" {
		t.Errorf("got %q, want an answer from where it was sent", got)
	}
	_, _ = conn.Write([]byte("\x00\x00\x01" + head[3:] + "a fragment"))
	_, _ = conn.Write([]byte("nonsense"))
	head = "\x00\x00\x00\x03\x0dresolver.test\x00\x35"
	q := question(t, 3, "a.test.")
	if got, want := exchangeDatagram(t, conn, head+q), head+string(answerTo(t, []byte(q))); got != want {
		t.Errorf("DNS: got %q, want %q", got, want)
	}
	c.Close()
	if got := dnsLine(sink.finished(t, 2)); got != "COMPLETE a.test code 0 192.0.2.7" {
		t.Errorf("DNS: got %s", got)
	}
	f := sink.finished(t, 1)
	if f.GetUdp().GetMessages() != 2 || f.Error.GetCode() == flowpb.CodeStopped {
		t.Errorf("got %v, want it complete with two messages", f)
	}
}

// TestDNSFailure answers SERVFAIL where the resolver is not there, and says in the
// flow why.
func TestDNSFailure(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := pc.LocalAddr().(*net.UDPAddr).Port
	pc.Close()
	conn, sink := datagramRelay(t, Options{}, route{scheme: "dns", host: "127.0.0.1", port: port})
	got := exchangeDatagram(t, conn, question(t, 9, "a.test."))
	var m dnsmessage.Message
	if err := m.Unpack([]byte(got)); err != nil || m.ID != 9 || !m.Response || m.RCode != dnsmessage.RCodeServerFailure || len(m.Questions) != 1 {
		t.Errorf("got %v, %v, want SERVFAIL", m, err)
	}
	f := sink.finished(t, 1)
	if f.Error.GetCode() != flowpb.CodeConnect || f.GetDns().GetResponse() != nil || len(sink.messages) != 2 || !sink.messages[1].Injected {
		t.Errorf("got %v, want a failure with our answer as an injected message", f)
	}
}

// TestDNSThatIsNone keeps what cannot be read, and says so.
func TestDNSThatIsNone(t *testing.T) {
	to := udpOrigin(t, func([]byte) [][]byte { return [][]byte{[]byte("junk")} })
	to.scheme = "dns"
	conn, sink := datagramRelay(t, Options{}, to)
	const half = "\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x05ab"
	if got := exchangeDatagram(t, conn, half); got != "junk" {
		t.Errorf("got %q, want it as it came", got)
	}
	sink.await(t, "two flows", func() bool { return len(sink.flows) == 2 && len(sink.messages) == 2 })
	sink.mu.Lock()
	defer sink.mu.Unlock()
	if got := metaOf(sink.flows[0], "dns request"); !strings.Contains(got, "a label that is not whole") {
		t.Errorf("request: got %q, want what is wrong with it", got)
	}
	if got := metaOf(sink.flows[1], "dns response"); !strings.Contains(got, "shorter than its header") || sink.flows[1].GetDns().GetRequest() != nil {
		t.Errorf("response: got %q, want what is wrong with it", got)
	}
}
