package ws

// deflateTail is what a sender cuts off the end of each compressed message
// (RFC 7692 §7.2.1).
var deflateTail = []byte{0x00, 0x00, 0xff, 0xff}

// deflation is the compression of one direction.
type deflation struct {
	alone  bool // each message is compressed on its own (no context takeover)
	window int  // how far back a message may refer
	z      *inflater
	lost   string // why what the next message builds on is not known
}

// newDeflation returns the compression of what role sends.
func newDeflation(role Role, ext Extensions) deflation {
	d := deflation{alone: ext.ServerNoContextTakeover, window: 1 << ext.ServerWindowBits}
	if role == Client {
		d.alone, d.window = ext.ClientNoContextTakeover, 1<<ext.ClientWindowBits
	}
	return d
}

// begin prepares for a compressed message.
func (d *deflation) begin(b *building) {
	if d.z == nil {
		d.z = new(inflater)
	}
	if d.alone {
		d.z.reset()
		d.lost = ""
	}
	d.z.farthest = 0
	if d.lost != "" {
		b.damaged(d.lost)
	}
}

// end draws the conclusions from a compressed message that is over.
func (d *deflation) end(b *building) {
	if !b.Compressed {
		return
	}
	if d.z.farthest > d.window {
		b.Faults |= FarWindow
	}
	if b.Faults&(Damaged|Unfinished|Cut) != 0 && d.lost == "" {
		d.lost = "it builds on a message that is not known"
	}
}

// damaged notes that the content from here on is as it came.
func (b *building) damaged(reason string) {
	b.Faults |= Damaged
	b.RawFrom, b.Reason = b.Size, reason
}

// wire is how many bytes of payload the message had, as far as its frames are kept.
func (b *building) wire() (n uint64) {
	for _, f := range b.Frames {
		n |= f
	}
	return n
}

// unpack inflates what is there of a compressed message. Of damaged data the
// rest is passed as it came.
func (r *Reader) unpack() Event {
	b := r.current()
	n, out, err := r.deflate.z.feed(r.packed)
	r.packed = r.packed[n:]
	ev := r.content(b, out)
	switch {
	case err != nil && r.lastPart:
		b.damaged(err.Error())
		r.state = atEnd
	case err != nil:
		b.damaged(err.Error())
		r.packed = append(r.deflate.z.untaken(), r.packed...)
		r.state = passingRaw
	case len(out) > 0: // there may be more
	case r.lastPart:
		if !r.deflate.z.between() {
			b.damaged("it ends in the middle of a block")
		}
		r.state = atEnd
	default:
		r.state = inPayload
	}
	return ev
}
