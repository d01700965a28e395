package live

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"weir/proxy/packet/pcap"
	"weir/proxy/packet/pcapfilter"
)

// isolate moves the test into a network of its own, which ends with it.
func isolate(t *testing.T) {
	t.Helper()
	runtime.LockOSThread() // for good: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skip("a network namespace takes root:", err)
	}
	ip(t, "link set lo up")
}

// ip runs the program of that name in the test's network.
func ip(t *testing.T, args string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Skipf("ip %s: %v: %s", args, err, out)
	}
}

// open captures until the test ends.
func open(t *testing.T, o Options, filter string) *Source {
	t.Helper()
	var err error
	if o.Filter, err = pcapfilter.Parse(t.Context(), filter, net.DefaultResolver); err != nil {
		t.Fatal(err)
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// got is a packet that outlives the call.
type got struct {
	pcap.Packet
	data []byte
}

// read captures until there are n packets, and a while longer for what must not come.
func read(t *testing.T, s *Source, n int) []got {
	t.Helper()
	var all []got
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	more := 3 // further reads
	for more > 0 {
		err := s.Read(ctx, func(p pcap.Packet) error {
			all = append(all, got{p, bytes.Clone(p.Data)})
			return nil
		})
		if err != nil {
			t.Fatalf("%d of %d packets, %+v: %v", len(all), n, s.Stats(), err)
		}
		if len(all) >= n {
			more--
		}
	}
	return all
}

// datagrams sends so many datagrams over the loopback interface, each of that size.
func datagrams(t *testing.T, n, size int) (port int) {
	t.Helper()
	to, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	from, err := net.Dial("udp", to.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	p := make([]byte, size)
	for i := range n {
		binary.BigEndian.PutUint32(p, uint32(i))
		if _, err := from.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	return to.LocalAddr().(*net.UDPAddr).Port
}

func TestLoopbackOnce(t *testing.T) {
	isolate(t)
	for _, c := range []struct {
		iface  string
		link   pcap.LinkType
		header int
	}{{"lo", 1, 14 + 28}, {Any, 276, 20 + 28}} { // no subtests: they are on threads of their own
		s := open(t, Options{Interfaces: []string{c.iface}}, "udp")
		began := time.Now().UnixNano()
		const n, size = 5000, 100
		datagrams(t, n, size)
		all := read(t, s, n)
		if len(all) != n {
			t.Fatalf("got %d packets, want %d", len(all), n)
		}
		for i, p := range all {
			if len(p.data) != c.header+size || p.Link != c.link || p.Length != len(p.data) {
				t.Fatalf("%s, packet %d: got %d of %d bytes, link type %d", c.iface, i, len(p.data), p.Length, p.Link)
			}
			if number := binary.BigEndian.Uint32(p.data[c.header:]); int(number) != i {
				t.Fatalf("%s, packet %d: it is number %d", c.iface, i, number)
			}
			if p.AtNs < began-int64(time.Second) || p.AtNs > time.Now().UnixNano() {
				t.Fatalf("%s, packet %d: captured at %d, the test began at %d", c.iface, i, p.AtNs, began)
			}
		}
		if got := s.Stats(); got != (Stats{Packets: n}) {
			t.Errorf("%s: got %+v, want %d packets and none dropped", c.iface, got, n)
		}
	}
}

func TestLargeAndCut(t *testing.T) {
	isolate(t)
	whole, cut := open(t, Options{Interfaces: []string{"lo"}}, "udp"), open(t, Options{Interfaces: []string{"lo"}, Snap: 100}, "udp")
	datagrams(t, 3, 65000)
	for _, p := range read(t, whole, 3) {
		if len(p.data) != 65042 {
			t.Errorf("got %d bytes, want 65042", len(p.data))
		}
	}
	for _, p := range read(t, cut, 3) {
		if len(p.data) != 100 || p.Length != 65042 {
			t.Errorf("got %d bytes of %d, want 100 of 65042", len(p.data), p.Length)
		}
	}
}

func TestDropsAreCounted(t *testing.T) {
	isolate(t)
	s := open(t, Options{Interfaces: []string{"lo"}, Buffer: 4 << 20}, "udp")
	const n = 200
	datagrams(t, n, 60000) // 12 MB, for a ring of 4
	all := read(t, s, 10)
	stats := s.Stats()
	if stats.Dropped == 0 || stats.Packets != n || uint64(len(all))+stats.Dropped != n {
		t.Errorf("got %+v and %d packets, want them to be %d together", stats, len(all), n)
	}
}

// cable makes two interfaces that are connected, and returns what sends a frame at the first.
func cable(t *testing.T) (send func(frame []byte)) {
	t.Helper()
	ip(t, "link add left type veth peer name right")
	ip(t, "link set left up")
	ip(t, "link set right up")
	return sender(t)
}

func sender(t *testing.T) func(frame []byte) {
	t.Helper()
	i, err := net.InterfaceByName("left")
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return func(frame []byte) {
		if err := unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: i.Index}); err != nil {
			t.Fatal(err)
		}
	}
}

// frame is a datagram in Ethernet, behind the tags.
func frame(payload string, tags ...uint16) []byte {
	f := []byte("\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01")
	for _, tag := range tags {
		f = append(f, 0x81, 0, byte(tag>>8), byte(tag))
	}
	f = append(f, 8, 0, 0x45, 0, 0, byte(28+len(payload)), 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2)
	f = append(f, 0x0f, 0xa0, 0x13, 0x88, 0, byte(8+len(payload)), 0, 0)
	return append(f, payload...)
}

func TestTagsArePutBack(t *testing.T) {
	isolate(t)
	send := cable(t)
	for _, c := range []struct {
		iface, filter string
		want          [][]byte
	}{
		{"right", "udp port 5000", [][]byte{frame("plain"), frame("one", 5), frame("two", 6, 7)}},
		{"right", "vlan 5", [][]byte{frame("one", 5)}},
		{"right", "vlan 7 and net 10", [][]byte{frame("two", 6, 7)}},
		{"right", "not vlan and udp", [][]byte{frame("plain")}},
		{"right", "tcp", nil},
		{"left", "vlan and src 10.0.0.1", [][]byte{frame("one", 5), frame("two", 6, 7)}},
	} {
		s := open(t, Options{Interfaces: []string{c.iface}, Promiscuous: true}, c.filter)
		send(frame("plain"))
		send(frame("one", 5))
		send(frame("two", 6, 7))
		all := read(t, s, len(c.want))
		if len(all) != len(c.want) {
			t.Errorf("%s, %q: got %d packets, want %d", c.iface, c.filter, len(all), len(c.want))
			continue
		}
		for i, p := range all {
			if !bytes.Equal(p.data, c.want[i]) {
				t.Errorf("%s, %q, packet %d: got %x, want %x", c.iface, c.filter, i, p.data, c.want[i])
			}
		}
	}
}

func TestCookedHasTagsToo(t *testing.T) {
	isolate(t)
	send := cable(t)
	s := open(t, Options{Interfaces: []string{Any}}, "udp port 5000 and vlan 5")
	send(frame("one", 5))
	for _, p := range read(t, s, 1) { // as it comes in; the kernel shows filters no tag of what goes out so
		if got, want := p.data[20:], frame("one", 5)[14:]; binary.BigEndian.Uint16(p.data) != 0x8100 || !bytes.Equal(got, want) {
			t.Errorf("got %x, want type 8100 and %x", p.data, want)
		}
	}
}

func TestInterfacesComeTogether(t *testing.T) {
	isolate(t)
	send := cable(t)
	s := open(t, Options{Interfaces: []string{"lo", "right"}}, "udp")
	send(frame("before"))
	datagrams(t, 1, 10)
	send(frame("after"))
	for _, k := range s.sockets {
		for !k.ring.ready() {
			runtime.Gosched() // the kernel gives its block soon
		}
	}
	all := read(t, s, 3)
	if len(all) != 3 || !slices.IsSortedFunc(all, func(a, b got) int { return int(a.AtNs - b.AtNs) }) {
		t.Errorf("got %d packets at times that are not in order", len(all))
	}
}

func TestInterfaceGoesAndComes(t *testing.T) {
	isolate(t)
	send := cable(t)
	var said []string
	s := open(t, Options{Interfaces: []string{"right"}, Notify: func(n Notice) { said = append(said, n.Text) }}, "udp")
	await := func(words string) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); len(said) == 0 || !strings.Contains(said[len(said)-1], words); {
			if time.Now().After(end) {
				t.Fatalf("it did not say %q, but %q", words, said)
			}
			if err := s.Read(t.Context(), func(pcap.Packet) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	// arrives sends until something comes: a link that was down takes a while.
	arrives := func(send func([]byte)) {
		t.Helper()
		for end, n := time.Now().Add(20*time.Second), 0; n == 0; {
			if time.Now().After(end) {
				t.Fatal("nothing is captured any more")
			}
			send(frame("again"))
			if err := s.Read(t.Context(), func(pcap.Packet) error { n++; return nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	ip(t, "link set right down")
	await("is down")
	ip(t, "link set right up")
	await("up again")
	arrives(send)
	ip(t, "link del right")
	await("is down")
	send = cable(t)
	await("up again")
	arrives(send)
}

func TestOpenFails(t *testing.T) {
	if _, err := Open(Options{}); err == nil {
		t.Error("without interfaces: no error")
	}
	_, err := Open(Options{Interfaces: []string{"nowhere0"}})
	if err == nil || !strings.Contains(err.Error(), "no such interface; there are any, ") {
		t.Errorf("got %v, want that there is no such interface, and which there are", err)
	}
}

func TestPermission(t *testing.T) {
	runtime.LockOSThread() // for good: the thread is no more what it was
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&header, &none[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Interfaces: []string{Any}}); !errors.Is(err, ErrPermission) {
		t.Errorf("got %v, want %v", err, ErrPermission)
	}
}
