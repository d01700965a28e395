package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	flowpb "weir/proto"
	"weir/store"
)

// recordMessages makes a session of one flow with these messages.
func recordMessages(t *testing.T, f *flowpb.Flow, messages ...*flowpb.Message) *store.Session {
	t.Helper()
	s, err := store.Create(t.Context(), filepath.Join(t.TempDir(), "s.weir"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	w, err := s.NewWriter(t.Context(), store.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Flow(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		m.Flow = f.Id
		if err := w.Message(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestShowMessages prints what there is to say of messages, as JSON and as text.
func TestShowMessages(t *testing.T) {
	f := &flowpb.Flow{CreatedNs: 1, State: flowpb.StateComplete, Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{
		Websocket: &flowpb.WebSocket{Messages: 2, ClosedByClient: proto.Bool(true), CloseCode: proto.Uint32(1000), CloseReason: []byte("done")},
	}}}
	s := recordMessages(t, f,
		&flowpb.Message{Side: flowpb.SideRequest, Type: flowpb.MessageText, Content: []byte("Hello"), Frames: []uint64{2, 3}, Compressed: true, Note: "not masked"},
		&flowpb.Message{Side: flowpb.SideResponse, Type: flowpb.MessageEvent, Content: []byte{0xff}, Continues: true, Event: &flowpb.ServerEvent{Type: []byte("tick"), Id: []byte{}, RetryMs: proto.Uint64(5)}},
	)
	shown, err := loadShown(t.Context(), reading{Session: s}, 1)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(shown.Flow)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"websocket":{"messages":2,"closed_by":"client","close_code":1000,"close_reason":"done"}`,
		`"size":5,"text":"Hello","base64":null,"compressed":true,"frames":[2,3],"note":"not masked"}`,
		`"size":1,"text":null,"base64":"/w==","continues":true,"event":{"type":"tick","id":"","retry_ms":5}}`,
	} {
		if !bytes.Contains(got, []byte(want)) {
			t.Errorf("JSON: got %s, want %s in it", got, want)
		}
	}
	var out strings.Builder
	if err := showText(t.Context(), stdio{out: &out}, reading{Session: s}, shown); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"[client text 5 bytes in 2 frames compressed note: not masked]\nHello\n", "[server event 1 bytes tick continues]\n/w==\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("text: got %s, want %s in it", out.String(), want)
		}
	}
}

func TestShowDNS(t *testing.T) {
	f := &flowpb.Flow{CreatedNs: 1, State: flowpb.StateComplete, Protocol: &flowpb.Flow_Dns{Dns: &flowpb.Dns{
		Request:  &flowpb.DnsMessage{Id: 7, Questions: []*flowpb.DnsQuestion{{Name: []byte("a.test"), Type: 1, Class: 1}}},
		Response: &flowpb.DnsMessage{Id: 7, Answers: []*flowpb.DnsRecord{{Name: []byte("a.test"), Type: 1, Class: 1, Ttl: 60, Data: []byte{192, 0, 2, 7}}}},
	}}}
	s := recordMessages(t, f)
	shown, err := loadShown(t.Context(), reading{Session: s}, 1)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(shown.Flow)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"questions":[{"name":"a.test","type":1,"class":1}]`, `"answers":[{"name":"a.test","type":1,"class":1,"ttl":60,"data":"c0000207"}]`} {
		if !bytes.Contains(got, []byte(want)) {
			t.Errorf("JSON: got %s, want %s in it", got, want)
		}
	}
	var out strings.Builder
	if err := showText(t.Context(), stdio{out: &out}, reading{Session: s}, shown); err != nil {
		t.Fatal(err)
	}
	if want := "  a.test  A           60s  192.0.2.7\n"; !strings.Contains(out.String(), want) {
		t.Errorf("text: got %s, want %q in it", out.String(), want)
	}
}
