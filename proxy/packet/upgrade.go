package packet

import (
	"context"

	flowpb "weir/proto"
	"weir/proxy/record"
)

// upgraded records what is said on a connection that switched protocols: WebSocket as
// its messages, anything else as it came.
type upgraded struct {
	x      *exchange
	up     *flowpb.Upgrade
	socket *record.WebSocket // nil: something else
	last   int64
}

// upgrade goes on with what the connection, or the stream of HTTP/2, became: the first
// of names.
func (x *exchange) upgrade(names ...[]byte) *upgraded {
	var protocol []byte
	if len(names) > 0 {
		protocol = names[0]
	}
	x.flow.State = flowpb.StateOpen
	socket := record.Upgraded(&x.flow, protocol)
	x.c.a.changed(&x.flow)
	return &upgraded{x: x, up: x.http.Upgrade, socket: socket}
}

// said is how many bytes a side has said so far.
func (u *upgraded) said(from flowpb.Side) *uint64 {
	if from == flowpb.SideRequest {
		return &u.up.ClientBytes
	}
	return &u.up.ServerBytes
}

func (u *upgraded) data(ctx context.Context, from flowpb.Side, p []byte, at int64) error {
	u.last = at
	u.x.c.dispute(&u.x.flow)
	*u.said(from) += uint64(len(p))
	u.x.c.a.changed(&u.x.flow)
	emit := u.x.emit(ctx, at)
	if u.socket != nil {
		return u.socket.Take(from, p, emit)
	}
	return emit(&flowpb.Message{Side: from, Type: flowpb.MessageData, Content: p})
}

// gap loses the place in the frames of a side: where the next one begins is in the
// bytes that are missing.
func (u *upgraded) gap(ctx context.Context, from flowpb.Side, n, at int64) error {
	addGap(&u.x.flow, from, *u.said(from), n)
	if u.socket == nil {
		return nil
	}
	return u.socket.Lose(from, "bytes before it were not captured", u.x.emit(ctx, at))
}

func (u *upgraded) end(context.Context, flowpb.Side, int64) error { return nil }

func (u *upgraded) close(ctx context.Context, why ending, at int64) error {
	u.up.EndedNs = max(u.last, u.x.response.GetStartedNs())
	u.x.response.EndedNs = u.x.response.GetStartedNs()
	if u.socket != nil {
		if err := u.socket.End(u.up.EndedNs, u.x.emit(ctx, u.up.EndedNs)); err != nil {
			return err
		}
	}
	u.x.flow.State = flowpb.StateComplete
	if broken := why.broken(); broken != "" {
		u.x.flow.State, u.x.flow.Error = flowpb.StateError, &flowpb.Error{Code: why.code(), Message: broken, AtNs: at}
	}
	return u.x.save(ctx)
}
