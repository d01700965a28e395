package proxy

import (
	"context"
	"strings"

	flowpb "weir/proto"
	"weir/proxy/ws"
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
	h := flow.GetHttp()
	h.Upgrade = &flowpb.Upgrade{Protocol: protocol}
	r := &streamRecord{
		to: to, flow: flow, split: &rawMessages{},
		client: &h.Upgrade.ClientBytes, server: &h.Upgrade.ServerBytes, endedNs: &h.Upgrade.EndedNs,
	}
	if strings.EqualFold(string(protocol), "websocket") {
		const field = "Sec-WebSocket-Extensions"
		agreed := ws.Negotiate(flowpb.Get(h.GetRequest().GetHeaders(), field), flowpb.Get(h.GetResponse().GetHeaders(), field))
		for _, problem := range agreed.Problems {
			flow.Meta = append(flow.Meta, &flowpb.Meta{Key: "websocket", Value: printable(problem)})
		}
		h.Websocket = &flowpb.WebSocket{}
		r.split = newWebSocket(h.Websocket, agreed)
	}
	return r
}
