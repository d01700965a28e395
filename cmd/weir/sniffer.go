package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"weir/proxy/packet"
	"weir/proxy/packet/live"
	"weir/proxy/packet/pcap"
	"weir/tui"
	"weir/tui/widget"
)

// sniffer makes flows of the packets of interfaces as they come, beside the proxies of
// a capture or without any.
//
//	live.Source ─► kept packets, where they are wanted
//	     └───────► packet.Assembler ─► the session's writer
//
// One goroutine does all of that. When the session cannot be written it waits, and the
// packets with it, in the kernel; what the kernel has no room for is lost, and told.
type sniffer struct {
	interfaces []string
	source     *live.Source
	assembler  *packet.Assembler
	packets    *keptPackets // nil: none are kept
	notices    *notices
	looked     time.Time
	toldAt     time.Time
	told       uint64 // lost packets that a person was told of
}

// newSniffer begins to capture into sink; session is the path of what it records into.
func newSniffer(ctx context.Context, f *sniffFlags, sink packet.Sink, session string, n *notices) (*sniffer, error) {
	source, err := f.open(ctx, n)
	if err != nil {
		return nil, err
	}
	told := mistakes{tell: func(text, hint string) { n.tell(tui.Error, text, hint) }}
	options := packet.Options{Live: true, Mistake: told.add}
	if len(f.keyLogs) > 0 {
		options.Keys = newKeyFollower(f.keyLogs)
	}
	s := &sniffer{interfaces: f.interfaces, source: source, notices: n, assembler: packet.NewAssembler(sink, options)}
	if f.keep > 0 {
		s.packets, err = keepPackets(session, int64(f.keep))
	}
	if err != nil {
		return nil, errors.Join(err, source.Close())
	}
	return s, nil
}

// run captures until ctx ends, and then what was on the wire by that time. All is
// recorded when it returns.
func (s *sniffer) run(ctx context.Context) error {
	work := context.WithoutCancel(ctx) // what was captured is recorded whole
	err := s.follow(ctx, work)
	if err == nil {
		err = s.rest(work)
	}
	if e := s.assembler.Close(work); err == nil {
		err = e
	}
	s.lost(time.Now(), 0)
	return err
}

// follow captures until ctx ends.
func (s *sniffer) follow(ctx, work context.Context) error {
	for {
		err := s.source.Read(ctx, func(p pcap.Packet) error { return s.packet(work, p) })
		if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return nil
		}
		if err != nil {
			return err
		}
		now := time.Now()
		if err := s.assembler.Advance(work, now.UnixNano()); err != nil {
			return err
		}
		if now.Sub(s.looked) >= time.Second {
			s.looked = now
			s.lost(now, lossNews)
			s.flush()
		}
	}
}

// rest takes the packets that were captured by now and wait in the kernel.
func (s *sniffer) rest(ctx context.Context) error {
	now := time.Now().UnixNano()
	for over := false; !over; {
		over = true
		err := s.source.Read(ctx, func(p pcap.Packet) error {
			over = p.AtNs > now
			return s.packet(ctx, p)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *sniffer) packet(ctx context.Context, p pcap.Packet) error {
	if s.packets != nil {
		if err := s.packets.add(p); err != nil {
			s.keepNoMore(err)
		}
	}
	return s.assembler.Packet(ctx, p)
}

func (s *sniffer) flush() {
	if s.packets == nil {
		return
	}
	if err := s.packets.flush(); err != nil {
		s.keepNoMore(err)
	}
}

// keepNoMore gives up keeping packets. The flows are recorded all the same.
func (s *sniffer) keepNoMore(err error) {
	s.notices.warn(fmt.Sprintf("packets are not kept any more: %v", errors.Join(err, s.packets.close())), "flows are recorded all the same; make room and start again to keep packets")
	s.packets = nil
}

// lossNews is how often a person is told of lost packets at most.
const lossNews = 10 * time.Second

// lost tells of packets that the kernel had no room for, unless that was just done.
func (s *sniffer) lost(now time.Time, every time.Duration) {
	dropped := s.source.Stats().Dropped
	if dropped == s.told || now.Sub(s.toldAt) < every {
		return
	}
	s.notices.warn(fmt.Sprintf("%s packets were lost: more came than could be recorded", widget.Group(dropped-s.told)),
		"give them more room with --buffer, or capture less with -f; flows that miss some say so")
	s.told, s.toldAt = dropped, now
}

// close ends the capture. It must not run before run has returned.
func (s *sniffer) close() error {
	err := s.source.Close()
	if s.packets != nil {
		err = errors.Join(err, s.packets.close())
	}
	return err
}

// sum tells in a line what was captured. It must not run before run has returned.
func (s *sniffer) sum(w io.Writer) {
	got, lost := s.assembler.Stats(), s.source.Stats().Dropped
	fmt.Fprintf(w, "sniffed %d packets on %s, %d TCP connections", got.Packets, strings.Join(s.interfaces, ", "), got.Conns)
	if got.Opened > 0 {
		fmt.Fprintf(w, ", %d decrypted", got.Opened)
	}
	if got.Gaps > 0 {
		fmt.Fprintf(w, ", %d gaps", got.Gaps)
	}
	if lost > 0 {
		fmt.Fprintf(w, ", LOST %d packets", lost)
	}
	fmt.Fprintln(w)
}
