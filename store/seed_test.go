package store

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	flowpb "weir/proto"
)

// seeded makes a seeded session and opens it.
func seeded(t testing.TB, o SeedOptions) *Session {
	t.Helper()
	path := filepath.Join(t.TempDir(), "seed.weir")
	if err := Seed(t.Context(), path, o); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestSeedIsTheSameEachRunAndVaried(t *testing.T) {
	onlyWhole(t)
	const n = 1700
	a, b := seeded(t, SeedOptions{Flows: n, BodySize: 700}), seeded(t, SeedOptions{Flows: n, BodySize: 700})
	kinds, hosts, missing := map[flowpb.Kind]int{}, map[string]int{}, 0
	for id := uint64(1); id <= n; id++ {
		x, err := a.Flow(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		y, err := b.Flow(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(x, y) {
			t.Fatalf("flow %d differs between two runs:\n%s", id, cmp.Diff(x, y, protocmp.Transform()))
		}
		sum := flowpb.Summarize(x)
		if got, want := sum.Status == 404, id%17 == 0; got != want {
			t.Errorf("flow %d: is a 404: got %v, want %v", id, got, want)
		}
		kinds[sum.Kind]++
		hosts[sum.Host]++
		if sum.Status == 404 {
			missing++
		}
	}
	if len(kinds) < 3 || len(hosts) < 200 || missing != n/17 {
		t.Errorf("variety: got %d kinds, %d hosts, %d of status 404, want at least 3, 200, and %d", len(kinds), len(hosts), missing, n/17)
	}
	problems, err := a.Verify(t.Context())
	if err != nil || len(problems) > 0 {
		t.Errorf("verify: got %v, %v, want nothing", problems, err)
	}
}
