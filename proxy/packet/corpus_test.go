package packet

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"google.golang.org/protobuf/proto"

	flowpb "weir/proto"
	"weir/proxy/packet/pcap"
)

// memory is a sink that keeps everything.
type memory struct {
	flows    []*flowpb.Flow
	conns    []*flowpb.Conn
	bodies   map[[2]uint64][]byte // flow, side
	messages map[uint64][]*flowpb.Message
}

func newMemory() *memory {
	return &memory{bodies: map[[2]uint64][]byte{}, messages: map[uint64][]*flowpb.Message{}}
}

func (m *memory) Conn(_ context.Context, c *flowpb.Conn) error {
	if c.Id == 0 {
		m.conns = append(m.conns, nil)
		c.Id = uint64(len(m.conns))
	}
	m.conns[c.Id-1] = proto.CloneOf(c)
	return nil
}

func (m *memory) Flow(_ context.Context, f *flowpb.Flow) error {
	if f.Id == 0 {
		m.flows = append(m.flows, nil)
		f.Id = uint64(len(m.flows))
	}
	m.flows[f.Id-1] = proto.CloneOf(f)
	return nil
}

func (m *memory) Body(_ context.Context, flow uint64, side flowpb.Side, p []byte) error {
	key := [2]uint64{flow, uint64(side)}
	m.bodies[key] = append(m.bodies[key], p...)
	return nil
}

func (m *memory) Message(_ context.Context, msg *flowpb.Message) error {
	m.messages[msg.Flow] = append(m.messages[msg.Flow], proto.CloneOf(msg))
	return nil
}

// assemble makes flows of a whole capture.
func assemble(t testing.TB, r io.Reader, o Options) (*memory, Stats) {
	t.Helper()
	file, err := pcap.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	sink := newMemory()
	a := NewAssembler(sink, o)
	for {
		p, err := file.Next()
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
	return sink, a.Stats()
}

// counts is what can be compared with other programs.
type counts struct{ requests, responses, dns, streams int }

func count(m *memory, s Stats) counts {
	c := counts{streams: int(s.Conns)}
	for _, f := range m.flows {
		if f.GetHttp().GetRequest() != nil {
			c.requests++
		}
		if f.GetHttp().GetResponse() != nil {
			c.responses++
		}
		if f.GetDns().GetRequest() != nil {
			c.dns++
		}
	}
	return c
}

// explained is where another count than tshark's is right, and why.
var explained = map[string]struct {
	counts
	why string
}{
	"no-syn-ack.pcap":     {counts{1, 1, 0, 2}, "the response's head and half of its body are there; tshark waits for the rest"},
	"sctp-www.pcap":       {counts{0, 0, 0, 0}, "HTTP over SCTP is not followed: streams are TCP's"},
	"socks5-reverse.pcap": {counts{0, 0, 0, 1}, "who connected serves SOCKS after six bytes of its own; tshark takes single packets for HTTP"},
}

// TestCorpus compares with what tshark counts in captures of real programs, which
// are not part of the repository.
func TestCorpus(t *testing.T) {
	dir := filepath.FromSlash("../../../shared/corpus/pcap")
	list, err := os.Open(filepath.Join(dir, "EXPECTED.tsv"))
	if err != nil {
		t.Skip("no corpus beside the repository")
	}
	defer list.Close()
	r := csv.NewReader(list)
	r.Comma, r.Comment = '\t', '#'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		t.Run(row[0], func(t *testing.T) {
			f, err := os.Open(filepath.Join(dir, row[0]))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			n := func(i int) int {
				v, err := strconv.Atoi(row[i])
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			want := counts{n(1), n(2), n(4), n(5)}
			if e, ok := explained[row[0]]; ok {
				t.Logf("tshark counts %+v: %s", want, e.why)
				want = e.counts
			}
			sink, stats := assemble(t, f, Options{})
			if got := count(sink, stats); got != want {
				t.Errorf("got %+v, want %+v; %+v", got, want, stats)
				for _, f := range sink.flows {
					t.Log(f)
				}
			}
		})
	}
}
