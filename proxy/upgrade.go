package proxy

import (
	"context"

	flowpb "weir/proto"
	"weir/proxy/record"
)

// upgrade passes the connection on as it is once the server switched protocols.
func (x *exchange) upgrade(ctx context.Context) error {
	protocol, _ := x.response.Get("Upgrade")
	x.rec.response.EndedNs = nowNs()
	r := newUpgradeRecord(x.rec.to, &x.rec.flow, protocol)
	err := r.open(ctx)
	if err == nil {
		err = x.c.pipe(ctx, x.up, x.leftover, r)
	}
	x.c.drop(ctx, x.up, err)
	return err
}

// newUpgradeRecord returns the record of what follows a 101, or a 2xx to an
// extended CONNECT (RFC 8441), which the flow has already: messages where
// protocol is WebSocket, else each read as one.
func newUpgradeRecord(to recorder, flow *flowpb.Flow, protocol []byte) *streamRecord {
	split := splitter(&rawMessages{})
	if w := record.Upgraded(flow, protocol); w != nil {
		split = w
	}
	up := flow.GetHttp().GetUpgrade()
	return &streamRecord{
		to: to, flow: flow, split: split,
		client: &up.ClientBytes, server: &up.ServerBytes, endedNs: &up.EndedNs,
	}
}
