package proxy

import (
	"context"
	"net"
	"testing"
)

// modesOf parses specs that name their address.
func modesOf(t *testing.T, specs ...string) []Mode {
	t.Helper()
	var out []Mode
	for _, s := range specs {
		m, err := ParseMode(s, "127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

// freePort is a port that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return port
}

func TestSetChanges(t *testing.T) {
	addr := echoHost(t)
	sink := newMemory()
	set := NewSet(Options{Sink: sink})
	kept, gone := "regular@"+freePort(t), "reverse:http://"+addr+"@"+freePort(t)
	if err := set.Change(t.Context(), modesOf(t, kept, gone)); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- set.Serve(ctx) }()
	defer func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("Serve: got %v, want nil", err)
		}
	}()
	before := set.Servers()
	through := func(a net.Addr) *peer {
		conn, err := net.Dial("tcp", a.String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		p := newPeer(t, conn)
		p.send(get(addr))
		if got := p.reply(); got == "" {
			t.Errorf("no answer through %s", a)
		}
		return p
	}
	open := through(before[0].Addr)
	through(before[1].Addr)

	// The second goes, its address is taken by another, the first does not notice.
	_, port, _ := net.SplitHostPort(before[1].Addr.String())
	if err := set.Change(t.Context(), modesOf(t, "regular@"+port, kept)); err != nil {
		t.Fatal(err)
	}
	after := set.Servers()
	if len(after) != 2 || after[1].Addr != before[0].Addr || after[0].Mode.Kind != Regular {
		t.Errorf("got %v", after)
	}
	open.send(get(addr))
	if got := open.reply(); got == "" {
		t.Error("a connection of a mode that stays was closed")
	}
	through(after[0].Addr)

	// All servers know all addresses of their own.
	p := through(after[0].Addr)
	p.send(get(after[1].Addr.String()))
	if head := p.head(); head[:12] != "HTTP/1.1 502" {
		t.Errorf("a request to another of our servers: got %q", head)
	}

	// One that cannot listen is an error, and the others serve.
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ = net.SplitHostPort(taken.Addr().String())
	if err := set.Change(t.Context(), modesOf(t, "socks5@"+port, kept)); err == nil {
		t.Error("no error for an address that is taken")
	}
	if got := set.Servers(); len(got) != 1 {
		t.Errorf("got %v, want the one that was kept", got)
	}
	through(before[0].Addr)
}

// Two servers on ports of the system's choice are two servers.
func TestSetOfEqualModes(t *testing.T) {
	set := NewSet(Options{Sink: newMemory()})
	if err := set.Change(t.Context(), modesOf(t, "regular@0", "regular@0")); err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if got := set.Servers(); len(got) != 2 || got[0].Addr == got[1].Addr {
		t.Errorf("got %v", got)
	}
}
