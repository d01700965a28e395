package live

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"weir/proxy/packet/pcap"
)

// Source captures from interfaces. Make one with [Open].
type Source struct {
	sockets []*socket
	poll    []unix.PollFd
	looked  time.Time // when interfaces that are away were last looked for

	mu     sync.Mutex // of what Stats reads while Read goes on
	stats  Stats
	closed bool
}

// Open begins to capture. It fails with ErrPermission or ErrUnsupported, for an
// interface that does not exist, or where the system has no memory for the ring.
func Open(o Options) (*Source, error) {
	o.defaults()
	if len(o.Interfaces) == 0 {
		return nil, errors.New("capture: no interface is named")
	}
	s := &Source{}
	for _, name := range o.Interfaces {
		k, err := openSocket(name, &o)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("capture from %q: %w", name, err), s.Close())
		}
		s.sockets = append(s.sockets, k)
		s.poll = append(s.poll, unix.PollFd{Fd: int32(k.fd), Events: unix.POLLIN})
	}
	return s, nil
}

const (
	// patience is how long Read waits for a packet, in milliseconds.
	patience = 100
	// atOnce is how many packets one Read gives at most.
	atOnce = 8192
	// settled is how old a packet has to be, in nanoseconds, for no older one to come
	// from another interface: the kernel has given its block to us by then.
	settled = 2 * blockTime * 1e6
	// lookAgain is how often an interface that is away is looked for.
	lookAgain = time.Second
)

// Read waits for packets, up to a tenth of a second, and gives those that came to
// yield, in the order of their times as far as that is known. A packet is valid during
// the call. It returns so that its caller can do what time asks for, and is called
// again. Its errors are ctx's and yield's.
func (s *Source) Read(ctx context.Context, yield func(pcap.Packet) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	k := s.earliest()
	if k == nil {
		if err := s.wait(); err != nil {
			return err
		}
		k = s.earliest()
	}
	for n := 0; k != nil && n < atOnce; n++ {
		err := yield(k.packet())
		k.ring.advance()
		if err != nil {
			return err
		}
		k = s.earliest()
	}
	return nil
}

// earliest is the socket whose next packet is the oldest, nil where there is none or an
// older one may still come.
func (s *Source) earliest() *socket {
	var first *socket
	waiting := false
	for _, k := range s.sockets {
		if !k.ring.ready() {
			waiting = true
		} else if first == nil || k.ring.at() < first.ring.at() {
			first = k
		}
	}
	if first != nil && waiting {
		if age := time.Now().UnixNano() - first.ring.at(); age >= 0 && age < settled {
			return nil
		}
	}
	return first
}

// wait returns when there are packets, or something else happened, or some time passed.
func (s *Source) wait() error {
	timeout := patience
	for i, k := range s.sockets {
		s.poll[i].Events = unix.POLLIN
		if k.ring.ready() { // its packet has to grow older
			s.poll[i].Events, timeout = 0, blockTime
		}
	}
	if _, err := unix.Poll(s.poll, timeout); err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("wait for packets: %w", err)
	}
	look := time.Since(s.looked) >= lookAgain
	if look {
		s.looked = time.Now()
	}
	for i, k := range s.sockets {
		if s.poll[i].Revents&unix.POLLERR != 0 {
			if err := k.failed(); err != nil {
				return err
			}
		}
		if k.down && look {
			if err := k.revive(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Stats returns the present figures. It may be called while Read runs.
func (s *Source) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.count()
	}
	return s.stats
}

// count asks the kernel, which forgets what it told.
func (s *Source) count() {
	for _, k := range s.sockets {
		if now, err := unix.GetsockoptTpacketStatsV3(k.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
			s.stats.Packets += uint64(now.Packets)
			s.stats.Dropped += uint64(now.Drops)
		}
	}
}

// Close ends the capture. No Read may be running.
func (s *Source) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.count()
	s.closed = true
	var err error
	for _, k := range s.sockets {
		err = errors.Join(err, k.close())
	}
	return err
}
