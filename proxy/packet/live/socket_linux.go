package live

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"weir/proxy/packet/pcap"
	"weir/proxy/packet/pcapfilter"
)

// socket is a packet socket and its ring.
type socket struct {
	name        string
	fd          int
	index       int // of the interface; 0: all
	link        pcap.LinkType
	ring        *ring
	promiscuous bool
	down        bool // the interface is, or is away
	notify      func(Notice)
}

// openSocket opens, filters and binds the socket of one interface. Nothing is captured
// before it is bound, so that nothing passes by the filter.
func openSocket(name string, o *Options) (*socket, error) {
	k := &socket{name: name, link: linkCooked2, promiscuous: o.Promiscuous, notify: o.Notify}
	kind, err := k.find()
	if err != nil {
		return nil, err
	}
	k.fd, err = unix.Socket(unix.AF_PACKET, kind|unix.SOCK_CLOEXEC, 0)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return nil, ErrPermission
	}
	if err != nil {
		return nil, fmt.Errorf("open a packet socket: %w", err)
	}
	if k.ring, err = newRing(k.fd, o.Buffer); err == nil {
		err = k.filter(o)
	}
	if err == nil {
		err = k.bind()
	}
	if err != nil {
		return nil, errors.Join(err, k.close())
	}
	return k, nil
}

// find learns of the interface: its index, and how its packets begin. The kind is that
// of the socket for it.
func (k *socket) find() (kind int, err error) {
	if k.name == Any {
		return unix.SOCK_DGRAM, nil
	}
	i, err := net.InterfaceByName(k.name)
	if err != nil {
		return 0, fmt.Errorf("no such interface; there are %s", strings.Join(interfaces(), ", "))
	}
	k.index = i.Index
	hardware, err := hardwareType(k.name)
	if err != nil {
		return 0, err
	}
	switch hardware {
	case unix.ARPHRD_ETHER, unix.ARPHRD_LOOPBACK:
		k.link = linkEthernet
	case unix.ARPHRD_IEEE80211:
		k.link = linkWiFi
	case unix.ARPHRD_IEEE80211_PRISM:
		k.link = linkPrism
	case unix.ARPHRD_IEEE80211_RADIOTAP:
		k.link = linkRadiotap
	default:
		return unix.SOCK_DGRAM, nil
	}
	return unix.SOCK_RAW, nil
}

func interfaces() []string {
	names := []string{Any}
	all, _ := net.Interfaces() // none are told of where they cannot be listed
	for _, i := range all {
		names = append(names, i.Name)
	}
	return names
}

// hardwareType is what the kernel calls the hardware of an interface (ARPHRD).
func hardwareType(name string) (uint16, error) {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return 0, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFHWADDR, request); err != nil {
		return 0, fmt.Errorf("ask for its kind of hardware: %w", err)
	}
	return request.Uint16(), nil
}

// filter gives the kernel the program that decides what is captured.
func (k *socket) filter(o *Options) error {
	link := pcapfilter.Cooked
	if k.link == linkEthernet {
		link = pcapfilter.Ethernet
	}
	if o.Filter != nil && k.link != linkEthernet && k.link != linkCooked2 {
		return errors.New("capture filters do not work on Wi-Fi in monitor mode")
	}
	program, err := o.Filter.Program(link, uint32(o.Snap))
	if err != nil {
		return err
	}
	raw, err := bpf.Assemble(append(k.once(), program...))
	if err != nil {
		return fmt.Errorf("assemble the capture filter: %w", err)
	}
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	err = unix.SetsockoptSockFprog(k.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]})
	if err != nil {
		return fmt.Errorf("attach the capture filter: %w", err)
	}
	return nil
}

// once is the beginning of a program that leaves out what goes out on a loopback
// interface: it comes in again.
func (k *socket) once() []bpf.Instruction {
	var code []bpf.Instruction
	all, _ := net.Interfaces() // without them everything is captured
	for _, i := range all {
		if i.Flags&net.FlagLoopback == 0 || k.index != 0 && k.index != i.Index {
			continue
		}
		code = append(code,
			bpf.LoadExtension{Num: bpf.ExtType},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.PACKET_OUTGOING, SkipFalse: 3},
			bpf.LoadExtension{Num: bpf.ExtInterfaceIndex},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(i.Index), SkipFalse: 1},
			bpf.RetConstant{Val: 0},
		)
	}
	return code
}

// bind begins to capture.
func (k *socket) bind() error {
	if k.promiscuous && k.index != 0 {
		request := unix.PacketMreq{Ifindex: int32(k.index), Type: unix.PACKET_MR_PROMISC}
		if err := unix.SetsockoptPacketMreq(k.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &request); err != nil {
			return fmt.Errorf("set promiscuous mode: %w", err)
		}
	}
	all := binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL)
	if err := unix.Bind(k.fd, &unix.SockaddrLinklayer{Protocol: binary.NativeEndian.Uint16(all), Ifindex: k.index}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	return nil
}

// failed sees to what the socket reports. An interface that went down or away is
// waited for.
func (k *socket) failed() error {
	n, err := unix.GetsockoptInt(k.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && n != 0 {
		err = unix.Errno(n)
	}
	if err == nil {
		return nil
	}
	if !errors.Is(err, unix.ENETDOWN) && !errors.Is(err, unix.ENODEV) && !errors.Is(err, unix.ENXIO) {
		return fmt.Errorf("capture from %q: %w", k.name, err)
	}
	if !k.down {
		k.down = true
		k.notify(Notice{"the interface " + k.name + " is down; the capture goes on when it is up again", "bring it up with: ip link set " + k.name + " up"})
	}
	return nil
}

// revive looks whether an interface that was down is there again. One that was removed
// and made again is another to the kernel.
func (k *socket) revive() error {
	i, err := net.InterfaceByName(k.name)
	if err != nil || i.Flags&net.FlagUp == 0 {
		return nil //nolint:nilerr // it is still away
	}
	if i.Index != k.index {
		k.index = i.Index
		if err := k.bind(); err != nil {
			return fmt.Errorf("capture from %q: %w", k.name, err)
		}
	}
	k.down = false
	k.notify(Notice{Text: "the interface " + k.name + " is up again"})
	return nil
}

func (k *socket) close() error {
	var err error
	if k.ring != nil {
		err = unix.Munmap(k.ring.mem)
	}
	return errors.Join(err, unix.Close(k.fd))
}
