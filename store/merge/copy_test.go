package merge

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	flowpb "weir/proto"
)

func TestUnited(t *testing.T) {
	for _, c := range []struct{ a, b, want flowpb.Note }{
		{flowpb.Note{}, flowpb.Note{Marked: "x", Comment: "c", Highlight: "red"}, flowpb.Note{Marked: "x", Comment: "c", Highlight: "red"}},
		{flowpb.Note{Marked: "x", Comment: "c"}, flowpb.Note{Marked: "y", Comment: "c"}, flowpb.Note{Marked: "x", Comment: "c"}},
		{flowpb.Note{Comment: "a"}, flowpb.Note{Comment: "b"}, flowpb.Note{Comment: "a\nb"}},
		{flowpb.Note{Tags: []string{"a"}}, flowpb.Note{Tags: []string{"b"}}, flowpb.Note{Tags: []string{"a", "b"}}},
	} {
		if diff := cmp.Diff(c.want, united(c.a, c.b)); diff != "" {
			t.Errorf("united(%+v, %+v) (-want +got):\n%s", c.a, c.b, diff)
		}
	}
}
