package synth

import (
	"io"

	flowpb "weir/proto"
	"weir/proxy/packet/pcap"
)

// linkRaw is the link type of packets that begin with the header of IP.
const linkRaw pcap.LinkType = 101

// Writer writes flows as a pcapng file.
type Writer struct {
	out   *pcap.Writer
	queue queue
	talks talks
	// flows counts those that were written.
	flows uint64
}

// NewWriter begins a file. application names the program that makes it.
func NewWriter(w io.Writer, application string) (*Writer, error) {
	out, err := pcap.NewWriter(w, linkRaw, application)
	if err != nil {
		return nil, err
	}
	return &Writer{out: out, talks: newTalks()}, nil
}

// Write adds a flow. Flows should come in the order in which they began. The error is
// [flowpb.ErrNoForm], the file's, or that of reading the flow's bodies and messages.
func (w *Writer) Write(f *flowpb.Whole) error {
	w.flows++
	x := &script{w: w, whole: f, flow: f.Flow, last: max(f.Flow.GetCreatedNs(), 0), comment: comment(&f.Note)}
	x.put = x.say
	switch p := f.Flow.GetProtocol().(type) {
	case *flowpb.Flow_Http:
		return x.http(p.Http)
	case *flowpb.Flow_Tcp:
		return x.tcp()
	case *flowpb.Flow_Udp:
		return x.udp()
	case *flowpb.Flow_Dns:
		return x.dns(p.Dns)
	default:
		return flowpb.ErrNoForm
	}
}

// Close ends the connections that are open and writes what waits. It does not close
// the file.
func (w *Writer) Close() error {
	for _, t := range w.talks.all() {
		if err := w.finish(t, flowpb.SideResponse, max(t.latest, t.ends)); err != nil {
			return err
		}
	}
	return w.flush(0)
}

// say queues something, and writes the earliest of what waits where that is too much.
func (w *Writer) say(s said) error {
	s.talk.latest = max(s.talk.latest, s.at)
	w.queue.push(s)
	return w.flush(maxWaiting)
}

// flush writes the earliest of what waits until no more than that is left, in bytes.
func (w *Writer) flush(left int) error {
	for w.queue.bytes > left || left == 0 && len(w.queue.waiting) > 0 {
		s := w.queue.pop()
		if err := s.talk.write(w.out, &s); err != nil {
			return err
		}
	}
	return nil
}

// finish ends a connection, the side that is named first.
func (w *Writer) finish(t *talk, first flowpb.Side, at int64) error {
	w.talks.remove(t)
	return w.say(said{talk: t, at: at, from: first, kind: fin})
}
