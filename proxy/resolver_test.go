package proxy

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"
)

func TestNameServers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "resolv.conf")
	for _, c := range []struct{ text, want string }{
		{"# comment\nsearch a.test\nnameserver 192.0.2.53\nnameserver 192.0.2.54\n", "192.0.2.53:53 192.0.2.54:53"},
		{"nameserver fe80::1%eth0\n", "[fe80::1%eth0]:53"},
		{"nameserver\nnameserver example.com\n", ""},
		{strings.Repeat("nameserver 192.0.2.1\n", 9), "192.0.2.1:53 192.0.2.1:53 192.0.2.1:53"},
	} {
		writeFile(t, file, c.text)
		servers, err := nameServers(file)
		var got []string
		for _, s := range servers {
			got = append(got, s.hostPort())
		}
		if (err != nil) != (c.want == "") || strings.Join(got, " ") != c.want {
			t.Errorf("%q: got %s (%v), want %s", c.text, got, err, c.want)
		}
	}
	if _, err := nameServers(file + ".not"); err == nil {
		t.Error("no file: got no error")
	}
}

func writeFile(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestParseHosts(t *testing.T) {
	got := parseHosts("# none\n127.0.0.1 localhost Here.test. # here\n::1\tlocalhost\nnonsense a.test\n192.0.2.1\n::ffff:192.0.2.9 here.test")
	want := map[string][]netip.Addr{
		"localhost": {netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")},
		"here.test": {netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.9")},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// resolving runs the mode dns with a resolver of ours, and returns a client.
func resolving(t *testing.T, r *resolver) (ask func(id uint16, name string) dnsmessage.Message, sink *memory) {
	t.Helper()
	ask, sink, _ = resolvingServer(t, r)
	return ask, sink
}

func resolvingServer(t *testing.T, r *resolver) (ask func(id uint16, name string) dnsmessage.Message, sink *memory, s *Server) {
	t.Helper()
	sink = newMemory()
	s, err := Listen(t.Context(), Options{Sink: sink, Listen: "127.0.0.1:0", Mode: Mode{Kind: DNS, target: r.servers[0]}})
	if err != nil {
		t.Fatal(err)
	}
	s.resolver = r
	serve(t, s)
	conn := udpClient(t, s.Addr().String())
	return func(id uint16, name string) (m dnsmessage.Message) {
		t.Helper()
		if err := m.Unpack([]byte(exchangeDatagram(t, conn, question(t, id, name)))); err != nil {
			t.Fatal(err)
		}
		return m
	}, sink, s
}

// TestResolverAsksTheNext goes on from a server that is not there to one that is
// silent, and to one that answers, which is asked first from then on.
func TestResolverAsksTheNext(t *testing.T) {
	gone := udpOrigin(t, func([]byte) [][]byte { return nil })
	gone.port = 1
	silent := udpOrigin(t, func([]byte) [][]byte { return nil })
	good := udpOrigin(t, func(p []byte) [][]byte { return [][]byte{answerTo(t, p)} })
	r := &resolver{servers: []route{gone, silent, good}, patience: 30 * time.Millisecond}
	for i := range r.servers {
		r.servers[i].scheme = "dns"
	}
	ask, sink := resolving(t, r)
	for id, name := range []string{"a.test.", "b.test."} {
		if m := ask(uint16(id), name); len(m.Answers) != 1 {
			t.Errorf("%s: got %v, want an answer", name, m)
		}
	}
	for id := range uint64(4) {
		sink.finished(t, id+1)
	}
	var got []string
	for _, f := range sink.flows {
		got = append(got, dnsLine(f)+" by "+strings.TrimPrefix(string(f.Server), "127.0.0.1"))
	}
	want := []string{
		"ERROR a.test ERROR_CODE_CONNECT by :1", "ERROR a.test ERROR_CODE_TIMEOUT by " + port(silent),
		"COMPLETE a.test code 0 192.0.2.7 by " + port(good), "COMPLETE b.test code 0 192.0.2.7 by " + port(good),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("flows (-want +got):\n%s", diff)
	}
}

func port(r route) string { return strings.TrimPrefix(r.hostPort(), "127.0.0.1") }

// TestResolverOverTCP goes on to the next server with the next connection.
func TestResolverOverTCP(t *testing.T) {
	gone := udpOrigin(t, func([]byte) [][]byte { return nil }) // which nobody listens to over TCP
	addr := origin(t, func(p *peer) {
		if q, err := takeFramed(p); err == nil {
			p.send(framed(string(answerTo(t, q))))
		}
	})
	good := netip.MustParseAddrPort(addr)
	r := &resolver{servers: []route{gone, {host: good.Addr().String(), port: int(good.Port())}}}
	for i := range r.servers {
		r.servers[i].scheme = "dns"
	}
	_, sink, s := resolvingServer(t, r)
	for i, want := range []bool{false, true} {
		c := dial(t, s)
		c.send(framed(question(t, uint16(i), "a.test.")))
		if _, err := takeFramed(c); (err == nil) != want {
			t.Errorf("connection %d: got %v, want an answer: %t", i+1, err, want)
		}
		sink.finished(t, uint64(i+1))
	}
}

// TestResolverReadsHosts answers by the hosts file as it is at that time, and asks
// for what it does not have.
func TestResolverReadsHosts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hosts")
	writeFile(t, file, "192.0.2.99 Here.test\n")
	good := udpOrigin(t, func(p []byte) [][]byte { return [][]byte{answerTo(t, p)} })
	good.scheme = "dns"
	ask, sink := resolving(t, &resolver{hosts: hosts{file: file}, servers: []route{good}})
	addressIn := func(m dnsmessage.Message) string {
		if len(m.Answers) != 1 {
			return "none"
		}
		a := m.Answers[0].Body.(*dnsmessage.AResource).A
		return netip.AddrFrom4(a).String()
	}
	if got := addressIn(ask(1, "hERE.test.")); got != "192.0.2.99" {
		t.Errorf("a name of the file: got %s", got)
	}
	if got := addressIn(ask(2, "other.test.")); got != "192.0.2.7" {
		t.Errorf("another: got %s", got)
	}
	writeFile(t, file, "192.0.2.100 here.test # moved\n")
	if got := addressIn(ask(3, "here.test.")); got != "192.0.2.100" {
		t.Errorf("after a change: got %s", got)
	}
	f := sink.finished(t, 1)
	if noteOf(f, "answered from") != file || f.ServerConn != 0 || f.ClientConn == 0 {
		t.Errorf("flow: got %v", f)
	}
}
