package synth

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	flowpb "weir/proto"
	"weir/proxy/packet"
	"weir/proxy/packet/pcap"
)

// exchange is a GET with a response of that body.
func exchange(c *clock, client *flowpb.Conn, p *flowpb.Response) *kept {
	q := &flowpb.Request{
		Method: []byte("GET"), Scheme: []byte("http"), Host: []byte("a.test"), Port: 80, Target: []byte("/"), Path: []byte("/"), Version: []byte("HTTP/1.1"),
		Headers: []*flowpb.Field{{Name: []byte("Host"), Value: []byte("a.test")}}, StartedNs: c.tick(), EndedNs: c.at,
	}
	h := &flowpb.Http{Request: q}
	if p != nil {
		h.Response = p
		p.Version, p.Status, p.StartedNs, p.EndedNs = []byte("HTTP/1.1"), 200, c.tick(), c.tick()
	}
	return &kept{flow: &flowpb.Flow{State: flowpb.StateComplete, CreatedNs: q.StartedNs, Protocol: &flowpb.Flow_Http{Http: h}}, client: client}
}

func fieldsOf(pairs ...string) (out []*flowpb.Field) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, &flowpb.Field{Name: []byte(pairs[i]), Value: []byte(pairs[i+1])})
	}
	return out
}

// found is what an import makes of a capture that may have gaps.
func found(t *testing.T, file []byte) ([]*kept, packet.Stats) {
	t.Helper()
	r, err := pcap.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	sink := &memory{}
	a := packet.NewAssembler(sink, packet.Options{})
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Packet(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return sink.flows, a.Stats()
}

// What HTTP/1 cannot say as it is kept comes out as the next best thing.
func TestUnusualBodies(t *testing.T) {
	for _, tt := range []struct {
		name  string
		p     *flowpb.Response // nil: none
		state flowpb.State
		body  string
		// want is of the flow that an import makes.
		state2 flowpb.State
		want   *flowpb.Body
		error2 string
	}{
		{
			name: "until the connection closes", state: flowpb.StateComplete, body: "all of it", state2: flowpb.StateComplete,
			p:    &flowpb.Response{Body: &flowpb.Body{State: flowpb.BodyComplete, Size: 9}},
			want: &flowpb.Body{State: flowpb.BodyComplete, Size: 9},
		},
		{
			name: "decoded by an archive", state: flowpb.StateComplete, body: "decoded", state2: flowpb.StateComplete,
			p:    &flowpb.Response{Headers: fieldsOf("Content-Length", "3"), Body: &flowpb.Body{State: flowpb.BodyComplete, Size: 7, Decoded: true}},
			want: &flowpb.Body{State: flowpb.BodyComplete, Size: 7},
		},
		{
			name: "cut", state: flowpb.StateError, body: "half", state2: flowpb.StateError,
			p:    &flowpb.Response{Headers: fieldsOf("Content-Length", "9"), Body: &flowpb.Body{State: flowpb.BodyCut, Size: 4}},
			want: &flowpb.Body{State: flowpb.BodyCut, Size: 4}, error2: "the connection ended inside the response",
		},
		{
			name: "cut in chunks", state: flowpb.StateError, body: "half", state2: flowpb.StateError,
			p:    &flowpb.Response{Headers: fieldsOf("Transfer-Encoding", "chunked"), Body: &flowpb.Body{State: flowpb.BodyCut, Size: 4, Chunked: true}},
			want: &flowpb.Body{State: flowpb.BodyCut, Size: 4, Chunked: true}, error2: "the connection ended inside the response",
		},
		{
			name: "not kept", state: flowpb.StateComplete, state2: flowpb.StateComplete,
			p:    &flowpb.Response{Headers: fieldsOf("Content-Length", "5000"), Body: &flowpb.Body{State: flowpb.BodyDropped, Size: 5000}},
			want: &flowpb.Body{State: flowpb.BodyComplete, Size: 5000},
		},
		{
			name: "chunks not kept", state: flowpb.StateComplete, state2: flowpb.StateComplete,
			p:    &flowpb.Response{Headers: fieldsOf("Transfer-Encoding", "chunked"), Body: &flowpb.Body{State: flowpb.BodyDropped, Size: 5000, Chunked: true}},
			want: &flowpb.Body{State: flowpb.BodyComplete, Size: 5000, Chunked: true},
		},
		{name: "no response", state: flowpb.StateError, state2: flowpb.StateError, error2: "the connection was closed without a response"},
		{name: "not over", state: flowpb.StateWaiting, state2: flowpb.StateError, error2: "the capture ends before the response does"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &clock{at: 1_700_000_000 * second}
			k := exchange(c, &flowpb.Conn{Id: 1}, tt.p)
			k.flow.State = tt.state
			if tt.state == flowpb.StateError {
				k.flow.Error = &flowpb.Error{Code: flowpb.CodeServerGone, Message: "gone", AtNs: c.tick()}
			}
			k.bodies[flowpb.SideResponse] = []byte(tt.body)
			// What follows must be readable whatever became of it.
			next := exchange(c, k.client, &flowpb.Response{Headers: fieldsOf("Content-Length", "0"), Body: &flowpb.Body{State: flowpb.BodyComplete}})
			flows, stats := found(t, written(t, k, next))
			if len(flows) != 2 || stats.Unknown > 0 {
				t.Fatalf("%d flows came back, want 2; %+v", len(flows), stats)
			}
			got := flows[0].flow
			if got.GetState() != tt.state2 || got.GetError().GetMessage() != tt.error2 {
				t.Errorf("it came back as %v, %q, want %v, %q", got.GetState(), got.GetError().GetMessage(), tt.state2, tt.error2)
			}
			if diff := cmp.Diff(tt.want, got.GetHttp().GetResponse().GetBody(), protocmp.Transform()); diff != "" {
				t.Errorf("its body (-want +got):\n%s", diff)
			}
			if b := string(flows[0].bodies[flowpb.SideResponse]); tt.body != "" && b != tt.body {
				t.Errorf("its bytes: got %q, want %q", b, tt.body)
			}
			if s := flows[1].flow.GetState(); s != flowpb.StateComplete {
				t.Errorf("what follows is %v", s)
			}
		})
	}
}

// Two flows that no connection is known of, or whose ports another one has, are on
// streams of their own.
func TestPorts(t *testing.T) {
	c := &clock{at: second}
	conn := func(id uint64) *flowpb.Conn {
		return &flowpb.Conn{Id: id, Peer: &flowpb.Address{Host: []byte("10.0.0.1"), Port: 65535}}
	}
	fine := func() *flowpb.Response {
		return &flowpb.Response{Headers: fieldsOf("Content-Length", "0"), Body: &flowpb.Body{State: flowpb.BodyComplete}}
	}
	flows, stats := found(t, written(t,
		exchange(c, nil, fine()), exchange(c, nil, fine()),
		exchange(c, conn(1), fine()), exchange(c, conn(2), fine()), exchange(c, conn(1), fine())))
	if len(flows) != 5 || stats.Conns != 4 {
		t.Errorf("%d flows on %d connections, want 5 on 4", len(flows), stats.Conns)
	}
}

// A kind without packets is refused, and the file stays whole.
func TestNoForm(t *testing.T) {
	w, err := NewWriter(io.Discard, "test")
	if err != nil {
		t.Fatal(err)
	}
	tls := &flowpb.Flow{Protocol: &flowpb.Flow_Tls{Tls: &flowpb.TlsFailure{}}}
	if err := w.Write(&flowpb.Whole{Flow: tls}); !errors.Is(err, flowpb.ErrNoForm) {
		t.Errorf("got %v, want %v", err, flowpb.ErrNoForm)
	}
}

// endless is a body of that many bytes, of which nobody could hold all.
type endless struct{ left int }

func (e *endless) Read(p []byte) (int, error) {
	n := min(len(p), e.left)
	if e.left -= n; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Whatever the size of a body and the number of connections, what waits is bounded.
func TestBounds(t *testing.T) {
	w, err := NewWriter(io.Discard, "test")
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{at: second}
	const size = 4 * maxWaiting
	k := exchange(c, nil, &flowpb.Response{Body: &flowpb.Body{State: flowpb.BodyComplete, Size: size}})
	whole := k.whole()
	whole.Body = func(flowpb.Side) (io.Reader, error) { return &endless{size}, nil }
	if err := w.Write(whole); err != nil {
		t.Fatal(err)
	}
	for range maxTalks + 100 {
		k := exchange(c, &flowpb.Conn{Id: uint64(c.at)}, &flowpb.Response{Headers: fieldsOf("Content-Length", "0")})
		if err := w.Write(k.whole()); err != nil {
			t.Fatal(err)
		}
	}
	if w.queue.bytes > maxWaiting || w.talks.order.Len() > maxTalks || len(w.talks.open) > maxTalks || len(w.talks.used) > maxTuples {
		t.Errorf("%d bytes wait, %d connections are open, %d pairs of ports are remembered", w.queue.bytes, w.talks.order.Len(), len(w.talks.used))
	}
}
