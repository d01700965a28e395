package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"weir/proxy/packet"
	"weir/proxy/packet/pcap"
)

// packets imports a capture file.
func (im *importer) packets(ctx context.Context, r io.Reader) (damage, err error) {
	file, err := pcap.NewReader(r)
	if err != nil {
		return err, nil
	}
	gather := 0 // of what comes by and by others may want to see each flow at once
	if im.whole {
		gather = gatheredFlows
	}
	sink := newGatheringSink(agentSink{im.into.writer, im.into.agent}, gather)
	keys := im.keyring(file)
	aside := &overflow{}
	defer func() { err = errors.Join(err, aside.close()) }()
	a := packet.NewAssembler(sink, packet.Options{Keys: keys, Spill: aside, Mistake: im.mistakes().add})
	for err == nil {
		p, e := file.Next()
		if e != nil {
			damage = e
			break
		}
		if err = a.Packet(ctx, p); err == nil && a.Stats().Packets%packetsPerCheck == 0 {
			err = ctx.Err()
		}
	}
	if err == nil || ctx.Err() != nil { // who interrupts it keeps what was read by then
		ending := context.WithoutCancel(ctx)
		err = errors.Join(err, a.Close(ending), sink.passAll(ending))
	}
	im.done.flows += sink.flows
	im.tell(a.Stats())
	if errors.Is(damage, io.EOF) && !errors.Is(damage, io.ErrUnexpectedEOF) {
		damage = nil
	}
	return damage, err
}

// mistakes tells of mistakes in weir as of anything that is wrong with the file.
func (im *importer) mistakes() *mistakes {
	return &mistakes{tell: func(text, hint string) { report(im.std.err, hinted(fmt.Errorf("import %q: %s", im.name, text), hint)) }}
}

// packetsPerCheck is how many packets are read before somebody's wish to stop is seen.
const packetsPerCheck = 4096

// tell says what of a capture is not among the flows.
func (im *importer) tell(s packet.Stats) {
	fmt.Fprintf(im.std.err, "%s: %d packets, %d TCP connections", im.name, s.Packets, s.Conns)
	for _, c := range []struct {
		n    uint64
		what string
	}{
		{s.Unknown - s.Unlinked, "packets without TCP or UDP"},
		{s.Unlinked, "packets of a link type that is not known"},
		{s.TLS, "of TLS"},
		{s.Opened, "of them decrypted"},
		{s.Gaps, "gaps"},
		{s.Conflicts, "ranges sent twice with different bytes"},
		{s.Mistakes, "mistakes of weir"},
	} {
		if c.n > 0 {
			fmt.Fprintf(im.std.err, ", %d %s", c.n, c.what)
		}
	}
	fmt.Fprintln(im.std.err)
}
