package packet

import (
	"bytes"
	"context"
	"slices"

	flowpb "weir/proto"
	"weir/proxy/dns"
	"weir/proxy/record"
)

// Ports on which DNS is spoken, multicast and link-local names among them
// (RFC 1035, RFC 6762, RFC 4795), and inside TLS (RFC 7858).
const (
	portDNS    = 53
	portMDNS   = 5353
	portLLMNR  = 5355
	portDNSTLS = 853
)

func isDNSPort(p uint16) bool { return p == portDNS || p == portMDNS || p == portLLMNR }

// Bounds of the questions of one conversation that wait for their answer, and the
// other way round.
const (
	maxAsked = 256
	maxTold  = 16
)

// dnsTalk speaks DNS: a flow for each question and its answer. What is no DNS message
// is a message of a flow of its own.
type dnsTalk struct {
	c         *conversation
	splitters [2]dns.Splitter // of TCP
	asked     []*flowpb.Flow  // without an answer, oldest first
	told      []*flowpb.Flow  // answers whose question was not seen: it may have been captured behind them
	rest      *streamFlow
}

func (d *dnsTalk) data(ctx context.Context, from flowpb.Side, p []byte, at int64) error {
	if d.c.key.udp {
		return d.message(ctx, from, p, at)
	}
	for len(p) > 0 {
		n, m := d.splitters[index(from)].Feed(p)
		p = p[n:]
		if m != nil {
			if err := d.message(ctx, from, m, at); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *dnsTalk) message(ctx context.Context, from flowpb.Side, p []byte, at int64) error {
	m, err := dns.Parse(p)
	switch {
	case m == nil:
		return d.leftover(ctx, from, p, at)
	case m.Response:
		return d.answer(ctx, m, err, at)
	}
	if i := find(d.told, m, (*flowpb.Dns).GetResponse); i >= 0 && d.told[i].GetCreatedNs() >= at {
		f := d.told[i]
		d.told = slices.Delete(d.told, i, i+1)
		f.CreatedNs = at
		f.GetDns().Request = record.DNSMessage(m, at)
		d.flaw(f, err, at)
		return d.c.a.sink.Flow(ctx, f)
	}
	f := &flowpb.Flow{CreatedNs: at, State: flowpb.StateWaiting, Protocol: &flowpb.Flow_Dns{Dns: &flowpb.Dns{Request: record.DNSMessage(m, at)}}}
	d.flaw(f, err, at)
	if err := d.record(ctx, f); err != nil {
		return err
	}
	if len(d.asked) >= maxAsked {
		if err := d.unanswered(ctx, d.asked[0], at); err != nil {
			return err
		}
		d.asked = d.asked[1:]
	}
	d.asked = append(d.asked, f)
	return nil
}

// answer completes the oldest question that it fits.
func (d *dnsTalk) answer(ctx context.Context, m *dns.Message, flaw error, at int64) error {
	if i := find(d.asked, m, (*flowpb.Dns).GetRequest); i >= 0 {
		f := d.asked[i]
		d.asked = slices.Delete(d.asked, i, i+1)
		f.GetDns().Response = record.DNSMessage(m, at)
		f.State = flowpb.StateComplete
		d.flaw(f, flaw, at)
		return d.c.a.sink.Flow(ctx, f)
	}
	f := &flowpb.Flow{CreatedNs: at, State: flowpb.StateComplete, Protocol: &flowpb.Flow_Dns{Dns: &flowpb.Dns{Response: record.DNSMessage(m, at)}}}
	d.flaw(f, flaw, at)
	if d.told = append(d.told, f); len(d.told) > maxTold {
		d.told = d.told[1:]
	}
	return d.record(ctx, f)
}

// find returns the oldest flow whose half has m's number, and m's name where both say one.
func find(flows []*flowpb.Flow, m *dns.Message, half func(*flowpb.Dns) *flowpb.DnsMessage) int {
	return slices.IndexFunc(flows, func(f *flowpb.Flow) bool {
		q := half(f.GetDns())
		return q.GetId() == uint32(m.ID) && (len(q.GetQuestions()) == 0 || len(m.Questions) == 0 ||
			bytes.EqualFold(q.GetQuestions()[0].GetName(), m.Questions[0].Name))
	})
}

// flaw notes that a message is wrong somewhere.
func (d *dnsTalk) flaw(f *flowpb.Flow, err error, at int64) {
	if err != nil && f.Error == nil {
		f.State, f.Error = flowpb.StateError, &flowpb.Error{Code: flowpb.CodeProtocol, Message: err.Error(), AtNs: at}
	}
}

func (d *dnsTalk) record(ctx context.Context, f *flowpb.Flow) error {
	if err := d.c.identify(ctx, f); err != nil {
		return err
	}
	return d.c.a.sink.Flow(ctx, f)
}

func (d *dnsTalk) unanswered(ctx context.Context, f *flowpb.Flow, at int64) error {
	if f.GetError() != nil {
		return nil
	}
	f.State = flowpb.StateError
	f.Error = &flowpb.Error{Code: flowpb.CodeServerGone, Message: "no answer is in the capture", AtNs: at, Side: flowpb.SideResponse}
	return d.c.a.sink.Flow(ctx, f)
}

func (d *dnsTalk) leftover(ctx context.Context, from flowpb.Side, p []byte, at int64) error {
	if d.rest == nil {
		d.rest = &streamFlow{c: d.c}
	}
	return d.rest.data(ctx, from, p, at)
}

// gap loses the beginning of the next message, so that what follows is no DNS to us.
func (d *dnsTalk) gap(ctx context.Context, from flowpb.Side, n, at int64) error {
	if d.c.key.udp {
		return nil // what can be read of the datagram was, and its flaw told
	}
	if d.rest == nil {
		d.rest = &streamFlow{c: d.c}
	}
	d.splitters[index(from)] = dns.Splitter{}
	return d.rest.gap(ctx, from, n, at)
}

func (d *dnsTalk) end(context.Context, flowpb.Side, int64) error { return nil }

func (d *dnsTalk) close(ctx context.Context, why ending, at int64) error {
	for _, f := range d.asked {
		if err := d.unanswered(ctx, f, at); err != nil {
			return err
		}
	}
	if d.rest != nil {
		return d.rest.close(ctx, why, at)
	}
	return nil
}
