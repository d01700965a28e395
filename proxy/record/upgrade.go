package record

import (
	"strings"

	flowpb "weir/proto"
	"weir/proxy/ws"
)

// Upgraded notes in an http flow, which has both heads, that its connection became
// protocol: by a 101, or by a 2xx to an extended CONNECT (RFC 8441). It returns what
// makes messages of the bytes from then on, nil where protocol is not WebSocket.
func Upgraded(f *flowpb.Flow, protocol []byte) *WebSocket {
	h := f.GetHttp()
	h.Upgrade = &flowpb.Upgrade{Protocol: protocol}
	if !strings.EqualFold(string(protocol), "websocket") {
		return nil
	}
	const field = "Sec-WebSocket-Extensions"
	agreed := ws.Negotiate(flowpb.Get(h.GetRequest().GetHeaders(), field), flowpb.Get(h.GetResponse().GetHeaders(), field))
	for _, problem := range agreed.Problems {
		f.Meta = append(f.Meta, &flowpb.Meta{Key: "websocket", Value: Printable(problem)})
	}
	h.Websocket = &flowpb.WebSocket{}
	return NewWebSocket(h.Websocket, agreed)
}
