package filter

import (
	"testing"

	"pgregory.net/rapid"

	flowpb "weir/proto"
)

// TestPrefilter is the law of prefilters: a plain flow that matches has in one of the
// bodies that are looked at what its prefilter looks for.
func TestPrefilter(t *testing.T) {
	leaf := rapid.SampledFrom([]string{"~b a", "~bq ab", "~bs foo", `~b "a+b"`, `~bs "(x|5)ab?"`, "~b A.B"})
	rapid.Check(t, func(rt *rapid.T) {
		a, b := leaf.Draw(rt, "a"), leaf.Draw(rt, "b")
		e := mustParse(t, rapid.SampledFrom([]string{
			a, a + " " + b, a + " | " + b, "!" + a + " & " + b, "(" + a + " | ~e) & " + b, "(" + a + " | " + b + ") !~d x", "(" + a + " & ~q) | " + b,
		}).Draw(rt, "src"))
		p := NewPlan(e).Prefilter
		if p == nil {
			return // some have no literal
		}
		body := rapid.SampledFrom([]string{"", "a", "ab", "A B", "foo", "x", "5", "axb", "éä"})
		s := &subject{flow: &flowpb.Flow{Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{Request: &flowpb.Request{}, Response: &flowpb.Response{}}}}, bodies: map[flowpb.Side][]byte{
			flowpb.SideRequest: []byte(body.Draw(rt, "request")), flowpb.SideResponse: []byte(body.Draw(rt, "response")),
		}}
		s.summary = flowpb.Summarize(s.flow)
		ok, err := Match(e, s)
		if err != nil {
			rt.Fatal(err)
		}
		found := false
		for side, b := range s.bodies {
			found = found || p.Searches(side) && p.In(b)
		}
		if ok && !found {
			rt.Fatalf("%s matches %q, and none of the %d texts is in it", e, s.bodies, len(p.finders))
		}
	})
}

// TestPrefilterOf says which expressions have one, by the longest text it looks for.
func TestPrefilterOf(t *testing.T) {
	for src, want := range map[string]int{
		"~b needle": 6, "~bs needle ~d host": 6, "~b ab | ~bq abcd": 4, "~b ab ~b abcd": 4, `~b "ab\d+c{2}"`: 2,
		"!~b needle": 0, "~b needle | ~e": 0, `~b ""`: 0, `~b "\d"`: 0, "~h needle": 0, "~bm needle": 0, "~c 404": 0,
	} {
		got := 0
		if p := NewPlan(mustParse(t, src)).Prefilter; p != nil {
			got = p.Longest()
		}
		if got != want {
			t.Errorf("%s: got a text of %d bytes, want %d", src, got, want)
		}
	}
	p := NewPlan(mustParse(t, "~bq needle")).Prefilter
	if !p.Searches(flowpb.SideRequest) || p.Searches(flowpb.SideResponse) || p.Searches(flowpb.SideOriginalRequest) {
		t.Error("~bq: got other sides than that of the request")
	}
}
