package report

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	flowpb "weir/proto"
)

// exchanged is a POST and its response with these bodies.
func exchanged(target string, headers []*flowpb.Field, request, response string) *flowpb.Whole {
	body := func(s string) *flowpb.Body {
		return &flowpb.Body{State: flowpb.BodyComplete, Size: uint64(len(s))}
	}
	f := &flowpb.Flow{Id: 12, CreatedNs: 1_700_000_000_123_000_000, Client: []byte("127.0.0.1:9"), Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{
		Request: &flowpb.Request{
			Method: []byte("POST"), Scheme: []byte("https"), Host: []byte("a.test"), Port: 443, Version: []byte("HTTP/1.1"),
			Target: []byte(target), Path: []byte(target), Headers: headers, Body: body(request),
		},
		Response: &flowpb.Response{Version: []byte("HTTP/1.1"), Status: 201, Reason: []byte("Created"), Body: body(response), EndedNs: 1_700_000_000_223_000_000},
	}}}
	return &flowpb.Whole{Flow: f, Body: func(s flowpb.Side) (io.Reader, error) {
		if s == flowpb.SideRequest {
			return strings.NewReader(request), nil
		}
		return strings.NewReader(response), nil
	}}
}

func reported(t testing.TB, flows ...*flowpb.Whole) string {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out)
	for _, f := range flows {
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestReport(t *testing.T) {
	f := exchanged("/cart?n=1&access_token=abc", []*flowpb.Field{
		{Name: []byte("Authorization"), Value: []byte("Bearer abc")}, {Name: []byte("X-Api-Key"), Value: []byte("abc")}, {Name: []byte("Accept"), Value: []byte("*/*")},
	}, `{"user": "ann", "password": "abc"}`, "```\nan [end]\x1b[2J")
	f.Note = flowpb.Note{Marked: flowpb.DefaultMarker, Comment: "double *submit*?", Tags: []string{"cart", "slow"}}
	const want = "# Flows\n" + `
## 12 · ` + "`POST https://a.test/cart?n=1&access_token=(hidden)`" + `

- when: 2023-11-14 22:13:20.123 UTC
- status: 201
- took: 100ms
- client: ` + "`127.0.0.1:9`" + `
- marked: ` + "`:default:`" + `
- tags: ` + "`cart, slow`" + `

> double \*submit\*\?

### Request

` + "```http" + `
POST /cart?n=1&access_token=(hidden) HTTP/1.1
Authorization: (hidden)
X-Api-Key: (hidden)
Accept: */*

{"user": "ann", "password": "(hidden)"}
` + "```" + `

### Response

` + "````http" + `
HTTP/1.1 201 Created

` + "```\nan [end]\uFFFD[2J\n````\n"
	if got := reported(t, f); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if h := f.Flow.GetHttp().GetRequest().GetHeaders()[0].GetValue(); string(h) != "Bearer abc" {
		t.Errorf("the flow itself was changed: %q", h)
	}
}

// What is no text, too long or not there is said to be so.
func TestExcerpt(t *testing.T) {
	long := strings.Repeat("ü", maxExcerpt)
	for _, tt := range []struct{ name, body, want string }{
		{"binary", "\x00\x01", "(2 bytes that are no text)"},
		{"long", long, strings.Repeat("ü", maxExcerpt/2-1) + "\n…\n"},
	} {
		if got := reported(t, exchanged("/", nil, "", tt.body)); !strings.Contains(got, tt.want) || !strings.HasSuffix(got, "\n```\n") {
			t.Errorf("%s: %q lacks %q", tt.name, got[:min(len(got), 900)], tt.want)
		}
	}
	if got := reported(t); !strings.Contains(got, "There are none.") {
		t.Errorf("of nothing: %q", got)
	}
}

// Where a secret stands it is hidden, and the rest stays.
func TestMask(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{maskQuery("/a?b=1&TOKEN=s3cret#x"), "/a?b=1&TOKEN=(hidden)#x"},
		{maskQuery("https://ann:s3cret@a.test/?q=token"), "https://(hidden)@a.test/?q=token"},
		{maskQuery("/cb#access_token=s3cret&state=1"), "/cb#access_token=(hidden)&state=1"},
		{maskBody("grant=x&client_secret=s3cret&a=b"), "grant=x&client_secret=(hidden)&a=b"},
		{maskBody("password=s3cret"), "password=(hidden)"},
		{maskBody("{\n\"refreshToken\" : \"s3\\\"cret\", \"a\": 1}"), "{\n\"refreshToken\" : \"(hidden)\", \"a\": 1}"},
		{maskBody("{ \"pin\": 1234, \"spin\": 1}"), "{ \"pin\": \"(hidden)\", \"spin\": 1}"},
		{maskBody("{ \"password\": \"cut off in the midd"), "{ \"password\": \"(hidden)\""},
		{maskBody("the next page is at https://a.test/?api_key=s3cret ."), "the next page is at https://a.test/?api_key=(hidden) ."},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

// Whatever was captured, no control character is in a report, a fence that is opened
// is closed by the one that was made for it, and credentials are not in it.
func TestHostile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.StringMatching("[`~a\n #>*-]{0,40}"), rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(p []byte) string { return string(p) }))
		f := exchanged("/"+text.Draw(t, "target"), []*flowpb.Field{
			{Name: []byte("Cookie"), Value: []byte("S3CRETCOOKIE")}, {Name: []byte("X"), Value: []byte(text.Draw(t, "value"))},
		}, text.Draw(t, "request"), text.Draw(t, "response"))
		f.Note.Comment = text.Draw(t, "comment")
		var out bytes.Buffer
		w := NewWriter(&out)
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
		got := out.String()
		if strings.Contains(got, "S3CRETCOOKIE") {
			t.Fatalf("the cookie is in %q", got)
		}
		if i := strings.IndexFunc(got, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 }); i >= 0 {
			t.Fatalf("byte %d of %q is a control character", i, got)
		}
		open := ""
		for line := range strings.SplitSeq(got, "\n") {
			if open == "" && strings.HasSuffix(line, "`http") {
				open = strings.TrimSuffix(line, "http")
			} else if open != "" && strings.HasPrefix(line, open) {
				if line != open {
					t.Fatalf("the fence %q is closed by %q in %q", open, line, got)
				}
				open = ""
			}
		}
		if open != "" {
			t.Fatalf("the fence %q is not closed in %q", open, got)
		}
	})
}
