package contract

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	flowpb "weir/proto"
)

// The keys of Row and the columns are one list.
func TestColumns(t *testing.T) {
	for _, tt := range []struct {
		names []string
		of    reflect.Type
	}{{Columns[:LineKeys], reflect.TypeFor[Line]()}, {Columns, reflect.TypeFor[Row]()}} {
		var keys []string
		for _, f := range reflect.VisibleFields(tt.of) {
			if !f.Anonymous {
				keys = append(keys, f.Tag.Get("json"))
			}
		}
		if diff := cmp.Diff(tt.names, keys); diff != "" {
			t.Errorf("the keys of %s differ (-names +keys):\n%s", tt.of, diff)
		}
	}
}

// What is absent is null, what is empty is not.
func TestRowNulls(t *testing.T) {
	r := flowpb.Row{Summary: flowpb.Summary{
		ID: 1, Kind: flowpb.KindHTTP, State: flowpb.StateWaiting, Method: "GET", Scheme: "http", Host: "a.test", Port: 80, Path: "/",
		RequestSize: flowpb.Absent, ResponseSize: 0, Duration: flowpb.Absent, TTFB: flowpb.Absent,
	}}
	line, err := Marshal(NewRow(uuid.Nil, &r))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":1,"uid":"00000000-0000-0000-0000-000000000000:1","kind":"http","state":"waiting","method":"GET","scheme":"http",` +
		`"host":"a.test","port":80,"path":"/","url":"http://a.test/","http_version":null,"status":null,"reason":null,"content_type":null,` +
		`"request_size":null,"response_size":0,"started_at":"1970-01-01T00:00:00.000000000Z","duration_ms":null,"client":null,"server":null,` +
		`"error":null,"marked":null,"comment":null,"tags":[],"replay":null,"session":null,"agent":null}`
	if got := string(line); got != want {
		t.Errorf("row prints as\n%s\nwant\n%s", got, want)
	}
}

// Bytes that are not UTF-8 come out of JSON as the same bytes in Latin-1.
func TestJSONText(t *testing.T) {
	raw := "a\xff\x00\x1b"
	line, err := Marshal(Text(raw))
	if err != nil {
		t.Fatal(err)
	}
	var back string
	if err := json.Unmarshal(line, &back); err != nil {
		t.Fatal(err)
	}
	var bytes []byte
	for _, r := range back {
		bytes = append(bytes, byte(r))
	}
	if string(bytes) != raw {
		t.Errorf("%q came back as %q", raw, bytes)
	}
}
