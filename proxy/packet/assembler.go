package packet

import (
	"container/list"
	"context"
	"net/netip"

	flowpb "weir/proto"
	"weir/proxy/contain"
	"weir/proxy/h1"
	"weir/proxy/packet/link"
	"weir/proxy/packet/pcap"
	"weir/proxy/packet/tcp"
	"weir/proxy/packet/unseal"
)

// Sink receives what the packets amount to. Its calls have the meaning that they
// have for the proxy: the first for a connection or a flow gives it its id, later
// ones tell its present state.
type Sink interface {
	Conn(ctx context.Context, c *flowpb.Conn) error
	Flow(ctx context.Context, f *flowpb.Flow) error
	Body(ctx context.Context, flow uint64, side flowpb.Side, p []byte) error
	Message(ctx context.Context, m *flowpb.Message) error
}

// Options bound an [Assembler]. The zero value of each field is its default.
type Options struct {
	Conversations int       // that are followed at once; 65536
	WaitingBytes  int64     // behind holes of all streams, in memory; 64 MB
	Spill         tcp.Spill // for what is more than that, or than 4 MB of one stream; nil: holes become gaps early
	Limits        h1.Limits // of HTTP/1 heads
	Keys          Keys      // of TLS connections; nil: they stay sealed
	// Live says that somebody looks while the packets come: what open flows come to is
	// told every quarter of a second of [Assembler.Advance].
	Live bool
	// Mistake is told of mistakes in weir itself that a conversation ran into, which goes
	// on as it came, or ends; nil: nobody is.
	Mistake func(*contain.PanicError)
}

// What a conversation is, as far as its patience goes.
const (
	datagrams  = iota
	over       // a closed connection, to which late segments still belong
	aborted    // a connection that was reset, of which more may have been on its way
	connection // of TCP
	classes
)

// patienceNs is how long a conversation of each class may be silent before it is
// taken for ended, in nanoseconds of capture time.
var patienceNs = [classes]int64{60e9, 120e9, 1e9, 2 * 3600e9}

// Stats is what an [Assembler] has seen.
type Stats struct {
	Packets   uint64
	Unknown   uint64 // without a TCP segment or UDP datagram that could be found
	Unlinked  uint64 // of those, with a link type that is not known
	Conns     uint64 // TCP connections
	TLS       uint64 // connections in which TLS began
	Opened    uint64 // of those, in which something could be decrypted
	Gaps      uint64
	Conflicts uint64 // byte ranges that were sent twice, differently
	Mistakes  uint64 // of weir itself, see [Options].Mistake
}

// Assembler makes flows out of packets. Make one with [NewAssembler].
type Assembler struct {
	sink  Sink
	opts  Options
	stats Stats

	decoder link.Decoder
	budget  tcp.Budget
	shared  unseal.Shared
	keyless int64 // bytes that connections may yet hold until their secrets come
	table   map[pair]*list.Element
	silent  [classes]list.List // of *conversation, the longest silent first
	now     int64              // capture time: the latest seen
	told    int64              // when Advance told of what changed
	untold  map[*flowpb.Flow]struct{}
}

// pair names a conversation, whoever of the two began it.
type pair struct {
	low, high netip.AddrPort
	udp       bool
}

// NewAssembler returns an Assembler that tells sink.
func NewAssembler(sink Sink, o Options) *Assembler {
	if o.Conversations <= 0 {
		o.Conversations = 1 << 16
	}
	if o.WaitingBytes <= 0 {
		o.WaitingBytes = 64 << 20
	}
	o.Limits.Lenient = true // what was captured was said, whatever we think of it
	return &Assembler{
		sink: sink, opts: o, budget: tcp.Budget{Left: o.WaitingBytes, Spill: o.Spill}, table: map[pair]*list.Element{},
		untold: map[*flowpb.Flow]struct{}{}, keyless: maxAllKeyless,
	}
}

// Stats returns the present figures.
func (a *Assembler) Stats() Stats { return a.stats }

// Packet takes the next packet; nothing of it is kept. Errors are the sink's.
func (a *Assembler) Packet(ctx context.Context, p pcap.Packet) error {
	a.stats.Packets++
	return contain.Call(func() error { return a.packet(ctx, p) }, func(x *contain.PanicError) error {
		a.mistook(x) // it belongs to no conversation
		return nil
	})
}

func (a *Assembler) packet(ctx context.Context, p pcap.Packet) error {
	a.now = max(a.now, p.AtNs)
	seg, ok := a.decoder.Decode(uint32(p.Link), p.Data, p.AtNs)
	if !ok {
		a.stats.Unknown++
		if !link.Known(uint32(p.Link)) {
			a.stats.Unlinked++
		}
		return nil
	}
	if err := a.expire(ctx); err != nil {
		return err
	}
	c, err := a.conversation(ctx, &seg)
	if err != nil || c == nil {
		return err
	}
	c.last = p.AtNs
	return a.guard(ctx, c, func() error {
		if seg.UDP {
			return c.datagram(ctx, &seg, p.AtNs)
		}
		return c.segment(ctx, &seg, p.AtNs)
	})
}

// Close ends all conversations, as the capture's end does.
func (a *Assembler) Close(ctx context.Context) error {
	for len(a.table) > 0 {
		if err := a.drop(ctx, a.oldest()); err != nil {
			return err
		}
	}
	return nil
}

// conversation finds the one a segment belongs to, or begins it; nil: the segment
// says nothing worth one.
func (a *Assembler) conversation(ctx context.Context, seg *link.Segment) (*conversation, error) {
	key := pair{seg.Src, seg.Dst, seg.UDP}
	if seg.Dst.Compare(seg.Src) < 0 {
		key.low, key.high = seg.Dst, seg.Src
	}
	if e := a.table[key]; e != nil {
		c := e.Value.(*conversation)
		if !c.reused(seg) {
			a.silent[c.class].MoveToBack(e)
			return c, nil
		}
		if err := a.drop(ctx, e); err != nil {
			return nil, err
		}
	}
	if !seg.UDP && len(seg.Payload) == 0 && seg.Flags&link.SYN == 0 {
		return nil, nil // the tail of a connection that ended before the capture began
	}
	if len(a.table) >= a.opts.Conversations {
		if err := a.drop(ctx, a.oldest()); err != nil {
			return nil, err
		}
	}
	c := newConversation(a, key, seg)
	a.table[key] = a.silent[c.class].PushBack(c)
	return c, nil
}

// classify moves a conversation among those of another class.
func (a *Assembler) classify(c *conversation, class int) {
	a.silent[c.class].Remove(a.table[c.key])
	c.class = class
	a.table[c.key] = a.silent[class].PushBack(c)
}

// expire ends what has been silent for too long.
func (a *Assembler) expire(ctx context.Context) error {
	for class := range a.silent {
		for e := a.silent[class].Front(); e != nil; e = a.silent[class].Front() {
			if a.now-e.Value.(*conversation).last < patienceNs[class] {
				break
			}
			if err := a.outlasted(ctx, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// outlasted ends a conversation that was silent for too long. One that was reset is over
// with that, but late segments belong to it still.
func (a *Assembler) outlasted(ctx context.Context, e *list.Element) error {
	if c := e.Value.(*conversation); c.class == aborted {
		return a.guard(ctx, c, func() error { return c.finish(ctx, reset, c.endedNs) })
	}
	return a.drop(ctx, e)
}

// oldest is the conversation that has been silent longest, one that is over first.
func (a *Assembler) oldest() *list.Element {
	for _, class := range []int{over, aborted} {
		if e := a.silent[class].Front(); e != nil {
			return e
		}
	}
	d, c := a.silent[datagrams].Front(), a.silent[connection].Front()
	if c == nil || d != nil && d.Value.(*conversation).last <= c.Value.(*conversation).last {
		return d
	}
	return c
}

func (a *Assembler) drop(ctx context.Context, e *list.Element) error {
	c := e.Value.(*conversation)
	if err := a.guard(ctx, c, func() error { return c.releaseAll(ctx) }); err != nil {
		return err
	}
	a.silent[c.class].Remove(a.table[c.key]) // not e: it may be over by now
	delete(a.table, c.key)
	return a.guard(ctx, c, func() error { return c.close(ctx, c.last) })
}
