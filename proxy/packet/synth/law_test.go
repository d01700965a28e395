package synth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	flowpb "weir/proto"
	"weir/proxy/packet"
	"weir/proxy/packet/pcap"
	"weir/proxy/packet/unseal"
)

const second = int64(1e9)

// kept is a flow with all that is beside it, as values.
type kept struct {
	flow     *flowpb.Flow
	client   *flowpb.Conn
	server   *flowpb.Conn
	note     flowpb.Note
	bodies   [5][]byte // by side
	messages []*flowpb.Message
}

// whole is k as writers take it.
func (k *kept) whole() *flowpb.Whole {
	return &flowpb.Whole{
		Flow: k.flow, Client: k.client, Server: k.server, Note: k.note,
		Body: func(s flowpb.Side) (io.Reader, error) { return bytes.NewReader(k.bodies[s]), nil },
		Messages: func(yield func(*flowpb.Message, error) bool) {
			for _, m := range k.messages {
				if !yield(m, nil) {
					return
				}
			}
		},
	}
}

// memory keeps what an import finds.
type memory struct {
	conns int
	flows []*kept
}

func (m *memory) Conn(_ context.Context, c *flowpb.Conn) error {
	if c.Id == 0 {
		m.conns++
		c.Id = uint64(m.conns)
	}
	return nil
}

func (m *memory) Flow(_ context.Context, f *flowpb.Flow) error {
	if f.Id == 0 {
		m.flows = append(m.flows, &kept{})
		f.Id = uint64(len(m.flows))
	}
	m.flows[f.Id-1].flow = proto.CloneOf(f)
	return nil
}

func (m *memory) Body(_ context.Context, flow uint64, s flowpb.Side, p []byte) error {
	k := m.flows[flow-1]
	k.bodies[s] = append(k.bodies[s], p...)
	return nil
}

func (m *memory) Message(_ context.Context, msg *flowpb.Message) error {
	m.flows[msg.Flow-1].messages = append(m.flows[msg.Flow-1].messages, proto.CloneOf(msg))
	return nil
}

// written is a capture of these flows.
func written(t rapid.TB, flows ...*kept) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range flows {
		if err := w.Write(k.whole()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// imported is what package packet makes of a capture.
func imported(t rapid.TB, file []byte) []*kept {
	t.Helper()
	r, err := pcap.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	sink := &memory{}
	ring := &ring{}
	r.Secrets = func(lines []byte) { ring.log.Add(lines) }
	a := packet.NewAssembler(sink, packet.Options{Keys: ring})
	ctx := context.Background()
	last := int64(0)
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.AtNs < last {
			t.Fatalf("a packet at %d comes after one at %d", p.AtNs, last)
		}
		last = p.AtNs
		if problem := checksums(p.Data); problem != "" {
			t.Fatalf("%s: % x", problem, p.Data)
		}
		if err := a.Packet(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if s := a.Stats(); s.Unknown+s.Gaps+s.Conflicts > 0 {
		t.Fatalf("the capture has flaws: %+v", s)
	}
	return sink.flows
}

// ring is the keys of the file, which come before the packets that need them.
type ring struct{ log unseal.Log }

func (k *ring) Find(random unseal.Random) (*unseal.Secrets, bool) { return k.log.Find(random), false }

// checksums says what is wrong with those of a packet, "" for nothing.
func checksums(p []byte) string {
	header, at := 20, 12
	if p[0]>>4 == 6 {
		header, at = 40, 8
	} else if fold(sum(0, p[:20])) != 0 {
		return "the checksum of IP is wrong"
	}
	number := p[9]
	if header == 40 {
		number = p[6]
	}
	if fold(sum(sum(uint64(number)+uint64(len(p)-header), p[at:header]), p[header:])) != 0 {
		return "the checksum of TCP or UDP is wrong"
	}
	return ""
}

// told is what must be the same after the way there and back, as text: everything a
// capture can hold.
func told(k *kept) string {
	var b strings.Builder
	s := flowpb.Summarize(k.flow)
	fmt.Fprintf(&b, "%s %s from %s to %s at %d, %s\n", s.Kind, s.URL(), k.flow.GetClient(), s.HostPort(), s.Started, k.flow.GetState().Label())
	if h := k.flow.GetHttp(); h != nil {
		q, p := h.GetRequest(), h.GetResponse()
		fmt.Fprintf(&b, "%q %q %q %q %q\n", q.GetMethod(), q.GetTarget(), q.GetVersion(), q.GetScheme(), q.GetAuthority())
		tellHalf(&b, q.GetHeaders(), q.GetBody(), k.bodies[flowpb.SideRequest], q.GetTrailers(), q.GetStartedNs(), q.GetEndedNs())
		for _, i := range h.GetInformational() {
			fmt.Fprintf(&b, "%d %q\n", i.GetStatus(), i.GetReason())
			tellFields(&b, i.GetHeaders())
		}
		fmt.Fprintf(&b, "%q %d %q\n", p.GetVersion(), p.GetStatus(), p.GetReason())
		tellHalf(&b, p.GetHeaders(), p.GetBody(), k.bodies[flowpb.SideResponse], p.GetTrailers(), p.GetStartedNs(), p.GetEndedNs())
		if w := h.GetWebsocket(); w != nil {
			fmt.Fprintf(&b, "websocket of %d messages, closed %v %v %q\n", w.GetMessages(), w.GetClosedByClient(), w.GetCloseCode(), w.GetCloseReason())
		}
	}
	if d := k.flow.GetDns(); d != nil {
		tellDNS(&b, d.GetRequest())
		tellDNS(&b, d.GetResponse())
	}
	for i, m := range k.messages {
		if k.flow.GetTcp() != nil && i > 0 && k.messages[i-1].GetSide() == m.GetSide() {
			fmt.Fprintf(&b, "%x", m.GetContent()) // a stream has no messages
			continue
		}
		fmt.Fprintf(&b, "\n%v %v at %d %v: %x", m.GetSide(), m.GetType(), m.GetAtNs(), m.GetFrames(), m.GetContent())
	}
	return b.String()
}

func tellDNS(b *strings.Builder, m *flowpb.DnsMessage) {
	fmt.Fprintf(b, "%d at %d: %v %v %v", m.GetId(), m.GetAtNs(), m.GetRecursionDesired(), m.GetRecursionAvailable(), m.GetResponseCode())
	for _, q := range m.GetQuestions() {
		fmt.Fprintf(b, " %q %d %d?", q.GetName(), q.GetType(), q.GetClass())
	}
	for _, r := range m.GetAnswers() {
		fmt.Fprintf(b, " %q %d %d %d %x", r.GetName(), r.GetType(), r.GetClass(), r.GetTtl(), r.GetData())
	}
	b.WriteByte('\n')
}

func tellFields(b *strings.Builder, fields []*flowpb.Field) {
	for _, f := range fields {
		fmt.Fprintf(b, "  %q %q %q\n", f.GetName(), f.GetValue(), f.GetRaw())
	}
}

func tellHalf(b *strings.Builder, fields []*flowpb.Field, body *flowpb.Body, p []byte, trailers []*flowpb.Field, started, ended int64) {
	tellFields(b, fields)
	tellFields(b, trailers)
	fmt.Fprintf(b, "  from %d to %d: %v %v %x\n", started, ended, body.GetState(), body.GetSize(), p)
	for _, e := range body.GetChunkExtensions() {
		fmt.Fprintf(b, "  at %d %q\n", e.GetOffset(), e.GetExtension())
	}
}

// Whatever flows are written as packets, package packet finds the same flows in them.
func TestLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		flows := drawFlows(t)
		got := imported(t, written(t, flows...))
		if len(got) != len(flows) {
			t.Fatalf("%d flows came back, want %d", len(got), len(flows))
		}
		want := map[string]int{}
		for _, k := range flows {
			want[told(k)]++
		}
		for _, k := range got {
			s := told(k)
			if want[s] == 0 {
				t.Fatalf("a flow came back that was none (-want +got):\n%s", cmp.Diff(nearest(want, s), s))
			}
			want[s]--
		}
	})
}

// nearest is the text that begins most like s.
func nearest(among map[string]int, s string) (best string) {
	length := -1
	for text, left := range among {
		n := 0
		for n < len(text) && n < len(s) && text[n] == s[n] {
			n++
		}
		if left > 0 && n > length {
			best, length = text, n
		}
	}
	return best
}
