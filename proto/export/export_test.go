package export

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	flowpb "weir/proto"
)

// flows is one of each kind.
func flows() map[flowpb.Kind]*flowpb.Whole {
	return map[flowpb.Kind]*flowpb.Whole{
		flowpb.KindHTTP: {Flow: &flowpb.Flow{Id: 1, State: flowpb.StateComplete, Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{
			Request: &flowpb.Request{
				Method: []byte("GET"), Scheme: []byte("http"), Host: []byte("a.test"), Port: 80, Target: []byte("/x"), Path: []byte("/x"), Version: []byte("HTTP/1.1"),
			},
			Response: &flowpb.Response{Version: []byte("HTTP/1.1"), Status: 204, Reason: []byte("x")},
		}}}},
		flowpb.KindTCP: {
			Flow:     &flowpb.Flow{Id: 2, State: flowpb.StateComplete, Protocol: &flowpb.Flow_Tcp{Tcp: &flowpb.Stream{}}},
			Messages: func(func(*flowpb.Message, error) bool) {},
		},
		flowpb.KindTLS: {Flow: &flowpb.Flow{Id: 3, State: flowpb.StateError, Protocol: &flowpb.Flow_Tls{Tls: &flowpb.TlsFailure{}}}},
	}
}

// The table says no name or key twice, and each writer of it does what the row says.
func TestTable(t *testing.T) {
	names, keys := map[string]bool{}, map[string]bool{}
	for _, f := range Formats() {
		if names[f.Name] || f.Key != "" && keys[f.Key] || f.Help == "" || f.What == "" || !strings.HasPrefix(f.Suffix, ".") {
			t.Errorf("%s: the name or the key %q is there twice, or something is missing", f.Name, f.Key)
		}
		names[f.Name], keys[f.Key] = true, true
		if got, ok := Find(f.Name); !ok || got.Name != f.Name {
			t.Errorf("%s cannot be found", f.Name)
		}
		if f.New == nil {
			continue
		}
		for kind, flow := range flows() {
			var out bytes.Buffer
			w, err := f.New(&out, "test")
			if err != nil {
				t.Fatal(err)
			}
			err = w.Write(flow)
			if none := errors.Is(err, flowpb.ErrNoForm); kind == flowpb.KindHTTP && err != nil || f.HTTP && kind != flowpb.KindHTTP && !none || err != nil && !none {
				t.Errorf("%s of a %s flow: %v", f.Name, kind, err)
			}
			if err := w.Close(); err != nil {
				t.Errorf("%s: %v", f.Name, err)
			}
			if kind == flowpb.KindHTTP && !strings.Contains(out.String(), "x") {
				t.Errorf("%s of a flow: %q", f.Name, out.String())
			}
		}
	}
	if _, ok := Find("none"); ok {
		t.Error("a format was found that there is not")
	}
}
