package ws

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// deflated is permessage-deflate with no limits, changed by change.
func deflated(change func(*Extensions)) Extensions {
	e := Extensions{Deflate: true, ClientWindowBits: 15, ServerWindowBits: 15}
	if change != nil {
		change(&e)
	}
	return e
}

func TestNegotiate(t *testing.T) {
	problem := func(texts ...string) func(*Extensions) {
		return func(e *Extensions) { e.Problems = texts }
	}
	for _, c := range []struct {
		name            string
		offer, accepted []string
		want            Extensions
	}{
		{"nothing", nil, nil, Extensions{ClientWindowBits: 15, ServerWindowBits: 15}},
		{"declined", []string{"permessage-deflate"}, nil, Extensions{ClientWindowBits: 15, ServerWindowBits: 15}},
		{"plain", []string{"permessage-deflate"}, []string{"permessage-deflate"}, deflated(nil)},
		{"as browsers offer", []string{"permessage-deflate; client_max_window_bits"}, []string{"permessage-deflate;client_max_window_bits=12"}, deflated(func(e *Extensions) { e.ClientWindowBits = 12 })},
		{"all four", []string{"permessage-deflate; client_max_window_bits"}, []string{`Permessage-Deflate; client_no_context_takeover ; SERVER_no_context_takeover; server_max_window_bits="9"; client_max_window_bits = 8`}, deflated(func(e *Extensions) {
			e.ClientNoContextTakeover, e.ServerNoContextTakeover, e.ServerWindowBits, e.ClientWindowBits = true, true, 9, 8
		})},
		{"the second of two offers", []string{"permessage-deflate; server_max_window_bits=10", "permessage-deflate"}, []string{"permessage-deflate"}, deflated(nil)},
		{"two offers in a field", []string{"permessage-deflate; server_no_context_takeover, permessage-deflate; client_max_window_bits"}, []string{"permessage-deflate; client_max_window_bits=10"}, deflated(func(e *Extensions) { e.ClientWindowBits = 10 })},
		{"with an unknown one", []string{"permessage-deflate, x-a"}, []string{"x-a; q=\"1,2;3\"", "permessage-deflate"}, deflated(func(e *Extensions) { e.Others = []string{"x-a"} })},
		{"never offered", nil, []string{"permessage-deflate"}, deflated(problem("the server accepts permessage-deflate as it was not offered"))},
		{"a window that was not offered", []string{"permessage-deflate"}, []string{"permessage-deflate; client_max_window_bits=10"}, deflated(func(e *Extensions) {
			e.ClientWindowBits = 10
			problem("the server accepts permessage-deflate; client_max_window_bits=10 as it was not offered")(e)
		})},
		{"a larger window than asked for", []string{"permessage-deflate; server_max_window_bits=10"}, []string{"permessage-deflate; server_max_window_bits=11"}, deflated(func(e *Extensions) {
			e.ServerWindowBits = 11
			problem("the server accepts permessage-deflate; server_max_window_bits=11 as it was not offered")(e)
		})},
		{"takeover that was declined", []string{"permessage-deflate; server_no_context_takeover"}, []string{"permessage-deflate"}, deflated(problem("the server accepts permessage-deflate as it was not offered"))},
		{"twice", []string{"permessage-deflate"}, []string{"permessage-deflate, permessage-deflate; server_no_context_takeover"}, deflated(problem("the server accepts permessage-deflate twice"))},
		{"windows that do not exist", []string{"permessage-deflate; client_max_window_bits=16; server_max_window_bits=7"}, []string{"permessage-deflate; client_max_window_bits=08; server_max_window_bits"}, deflated(problem(
			"the client offers permessage-deflate with client_max_window_bits=16, which is not 8 to 15",
			"the client offers permessage-deflate with server_max_window_bits=7, which is not 8 to 15",
			"the server accepts permessage-deflate with client_max_window_bits=08, which is not 8 to 15",
			"the server accepts permessage-deflate with server_max_window_bits=, which is not 8 to 15",
		))},
		{"parameters that are none", []string{"permessage-deflate; level=9; client_no_context_takeover=1; client_no_context_takeover"}, nil, Extensions{ClientWindowBits: 15, ServerWindowBits: 15, Problems: []string{
			"the client offers permessage-deflate with level, which is not known",
			"the client offers permessage-deflate with a value for client_no_context_takeover",
			"the client offers permessage-deflate with client_no_context_takeover twice",
		}}},
		{"empty elements", []string{",, permessage-deflate ;; ,"}, []string{" , permessage-deflate"}, deflated(nil)},
	} {
		got := Negotiate(fields(c.offer), fields(c.accepted))
		if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func fields(values []string) (out [][]byte) {
	for _, v := range values {
		out = append(out, []byte(v))
	}
	return out
}

func FuzzNegotiate(f *testing.F) {
	f.Add("permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits=10")
	f.Add(`a;b="c,d";, e`, `;;=,"`)
	f.Fuzz(func(t *testing.T, offered, accepted string) {
		e := Negotiate([][]byte{[]byte(offered)}, [][]byte{[]byte(accepted)})
		if min(e.ClientWindowBits, e.ServerWindowBits) < 8 || max(e.ClientWindowBits, e.ServerWindowBits) > 15 || len(e.Problems) > maxProblems {
			t.Errorf("got %+v", e)
		}
	})
}
