package flowpb

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
)

func TestSecret(t *testing.T) {
	for name, want := range map[string]bool{
		"Authorization": true, "proxy-authorization": true, "COOKIE": true, "Set-Cookie": true,
		"": false, " ": false, "Cookies": false, "okie": false, "cookie set-cookie": false, "X-Authorization": false,
	} {
		if got := Secret([]byte(name)); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}

// TestHideSecrets looks for the secret in all of the flow, wherever fields are.
func TestHideSecrets(t *testing.T) {
	fields := func() []*Field {
		return []*Field{
			{Name: []byte("Host"), Value: []byte("a.test")},
			{Name: []byte("COOKIE"), Value: []byte("s3cret")},
			{Name: []byte("authorization"), Value: []byte("s3cret"), Raw: []byte("authorization :  s3cret\n")},
		}
	}
	request := func() *Request { return &Request{Headers: fields(), Trailers: fields()} }
	response := func() *Response { return &Response{Headers: fields(), Trailers: fields()} }
	f := &Flow{Protocol: &Flow_Http{Http: &Http{
		Request: request(), Response: response(), OriginalRequest: request(), OriginalResponse: response(),
	}}}
	HideSecrets(f)
	text, err := proto.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "s3cret") || strings.Count(string(text), "(hidden)") != 16 || strings.Count(string(text), "a.test") != 8 {
		t.Errorf("got %q, want no secret and all else", text)
	}
	HideSecrets(&Flow{}) // no HTTP, nothing to hide
}
