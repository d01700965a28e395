package facts

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	flowpb "weir/proto"
)

func TestSocket(t *testing.T) {
	for _, c := range []struct {
		socket *flowpb.WebSocket
		want   string
	}{
		{&flowpb.WebSocket{Messages: 1234}, "WebSocket, 1,234 messages so far"},
		{&flowpb.WebSocket{Messages: 2, EndedNs: 1}, "WebSocket, 2 messages, ended without a close"},
		{&flowpb.WebSocket{ClosedByClient: proto.Bool(true), EndedNs: 1}, "WebSocket, 0 messages, closed by the client"},
		{&flowpb.WebSocket{ClosedByClient: proto.Bool(false), CloseCode: proto.Uint32(1001), CloseReason: []byte("bye\x1b")}, `WebSocket, 0 messages, closed by the server: 1001 going away bye\x1b`},
		{&flowpb.WebSocket{ClosedByClient: proto.Bool(false), CloseCode: proto.Uint32(4711)}, "WebSocket, 0 messages, closed by the server: 4711"},
	} {
		if got := socket(c.socket); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestMessage(t *testing.T) {
	if got := Message(&flowpb.Message{Content: []byte("plain")}).Len(); got != 0 {
		t.Errorf("of a plain message: got %d lines, want none", got)
	}
	m := &flowpb.Message{
		Type: flowpb.MessageClose, Content: []byte("\x03\xea"), Injected: true, Continues: true, Compressed: true, Note: "cut off",
		Frames: make([]uint64, 30), Event: &flowpb.ServerEvent{Type: []byte("tick"), Id: []byte("7"), RetryMs: proto.Uint64(0)},
	}
	doc := Message(m)
	var lines []string
	for i := range doc.Len() {
		lines = append(lines, doc.Text(i))
	}
	want := []string{
		"  note          cut off", "  made by       weir", "  close code    1002 protocol error",
		"  frames        30, of " + strings.Repeat("0, ", 20) + "… bytes",
		"  compressed    on the wire, shown without", "  continues     in the next message from this side",
		"  event         tick", "  event id      7", "  retry         0 ms",
	}
	if got := strings.Join(lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}
