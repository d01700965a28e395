package seed

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	flowpb "weir/proto"
)

// tally is a sink that keeps heads and counts the rest.
type tally struct {
	flows                   []*flowpb.Flow
	conns, messages, bodies uint64
	bytes                   map[uint64]uint64 // of bodies, by flow
}

func (s *tally) Conn(_ context.Context, c *flowpb.Conn) error {
	s.conns++
	c.Id = s.conns
	return nil
}

func (s *tally) Flow(_ context.Context, f *flowpb.Flow) error {
	f.Id = uint64(len(s.flows) + 1)
	s.flows = append(s.flows, proto.CloneOf(f))
	return nil
}

func (s *tally) Body(_ context.Context, flow uint64, _ flowpb.Side, p []byte) error {
	s.bodies++
	s.bytes[flow] += uint64(len(p))
	return nil
}

func (s *tally) Message(context.Context, *flowpb.Message) error {
	s.messages++
	return nil
}

func made(t *testing.T, o Options) *tally {
	t.Helper()
	s := &tally{bytes: map[uint64]uint64{}}
	if err := Into(t.Context(), s, o); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSameEachRunAndVaried(t *testing.T) {
	const n = 1700
	a, b := made(t, Options{Flows: n, BodySize: 700}), made(t, Options{Flows: n, BodySize: 700})
	kinds, hosts, missing := map[flowpb.Kind]int{}, map[string]int{}, 0
	for i, x := range a.flows {
		if !proto.Equal(x, b.flows[i]) {
			t.Fatalf("flow %d differs between two runs:\n%s", x.GetId(), cmp.Diff(x, b.flows[i], protocmp.Transform()))
		}
		sum := flowpb.Summarize(x)
		if got, want := sum.Status == 404, x.GetId()%17 == 0; got != want {
			t.Errorf("flow %d: is a 404: got %v, want %v", x.GetId(), got, want)
		}
		kinds[sum.Kind]++
		hosts[sum.Host]++
		if sum.Status == 404 {
			missing++
		}
		if body := x.GetHttp().GetResponse().GetBody(); body.GetState() == flowpb.BodyComplete && a.bytes[x.GetId()] != body.GetSize() {
			t.Errorf("body of flow %d: got %d bytes, its head says %d", x.GetId(), a.bytes[x.GetId()], body.GetSize())
		}
	}
	if len(a.flows) != n || len(kinds) < 3 || len(hosts) < 200 || missing != n/17 || a.messages == 0 {
		t.Errorf("variety: got %d flows, %d kinds, %d hosts, %d of status 404, %d messages, want %d, at least 3, 200, %d, and some",
			len(a.flows), len(kinds), len(hosts), missing, a.messages, n, n/17)
	}
}

func TestNoBodiesUnlessAskedFor(t *testing.T) {
	told := 0
	if s := made(t, Options{Flows: progressEvery, Progress: func(n int) { told = n }}); s.bodies > 0 || told != progressEvery {
		t.Errorf("got %d bodies and progress %d, want none and %d", s.bodies, told, progressEvery)
	}
}
