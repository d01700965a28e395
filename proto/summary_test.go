package flowpb

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSummarizeHTTP(t *testing.T) {
	want := Summary{
		ID: 7, Kind: KindHTTP, State: StateComplete, Replay: ReplayRequest,
		Flags:   FlagResponse | FlagError | FlagSSE | FlagTLS | FlagGap | FlagTrailers,
		Started: 1_700_000_000_000_000_001,
		Method:  "POST", Scheme: "https", Host: "shop.test", Port: 443, Path: "/a?b", Version: "HTTP/1.1",
		Status: 200, ContentType: "text/event-stream", RequestType: "application/json",
		RequestSize: 0, ResponseSize: 12, Duration: 799, TTFB: 499,
		Client: "127.0.0.1:50000", Server: "shop.test:443",
	}
	if diff := cmp.Diff(want, Summarize(sampleFlow())); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

func TestSummarizeKinds(t *testing.T) {
	for _, tt := range []struct {
		name string
		flow *Flow
		want Summary
	}{
		{"nothing", &Flow{}, Summary{RequestSize: Absent, ResponseSize: Absent, Duration: Absent, TTFB: Absent}},
		{
			"tcp", &Flow{CreatedNs: 5, Server: []byte("[::1]:22"), Protocol: &Flow_Tcp{Tcp: &Stream{ClientBytes: 1, ServerBytes: 2, EndedNs: 9}}},
			Summary{Kind: KindTCP, Started: 5, Host: "::1", Port: 22, RequestSize: 1, ResponseSize: 2, Duration: 4, TTFB: Absent, Server: "[::1]:22"},
		},
		{
			"dns", &Flow{Protocol: &Flow_Dns{Dns: &Dns{Request: &DnsMessage{Questions: []*DnsQuestion{{Name: []byte("a.test")}}}, Response: &DnsMessage{}}}},
			Summary{Kind: KindDNS, Flags: FlagResponse, Path: "a.test", RequestSize: Absent, ResponseSize: Absent, Duration: Absent, TTFB: Absent},
		},
		{
			"dns without its question", &Flow{Protocol: &Flow_Dns{Dns: &Dns{Response: &DnsMessage{Questions: []*DnsQuestion{{Name: []byte("a.test")}}}}}},
			Summary{Kind: KindDNS, Flags: FlagResponse, Path: "a.test", RequestSize: Absent, ResponseSize: Absent, Duration: Absent, TTFB: Absent},
		},
		{
			"dns that answers unasked", &Flow{Protocol: &Flow_Dns{Dns: &Dns{Response: &DnsMessage{Answers: []*DnsRecord{{Name: []byte("a.local")}}}}}},
			Summary{Kind: KindDNS, Flags: FlagResponse, Path: "a.local", RequestSize: Absent, ResponseSize: Absent, Duration: Absent, TTFB: Absent},
		},
		{
			"dns without an answer", &Flow{Protocol: &Flow_Dns{Dns: &Dns{Response: &DnsMessage{ResponseCode: 3}}}},
			Summary{Kind: KindDNS, Flags: FlagResponse | FlagFailed, RequestSize: Absent, ResponseSize: Absent, Duration: Absent, TTFB: Absent},
		},
		{
			"tls", &Flow{CreatedNs: 1, Error: &Error{AtNs: 3}, Protocol: &Flow_Tls{Tls: &TlsFailure{Sni: []byte("pin.test"), Port: 443}}},
			Summary{Kind: KindTLS, Flags: FlagTLS | FlagError, Started: 1, Host: "pin.test", Port: 443, RequestSize: Absent, ResponseSize: Absent, Duration: 2, TTFB: Absent},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Summarize(tt.flow)); diff != "" {
				t.Errorf("summary (-want +got):\n%s", diff)
			}
		})
	}
}

// A content coding of either side counts.
func TestCodedFlag(t *testing.T) {
	coded := []*Field{{Name: []byte("content-ENCODING"), Value: []byte("gzip")}}
	for _, tt := range []struct {
		name string
		http *Http
		want bool
	}{
		{"neither", &Http{Request: &Request{}, Response: &Response{}}, false},
		{"request", &Http{Request: &Request{Headers: coded}}, true},
		{"response", &Http{Request: &Request{}, Response: &Response{Headers: coded}}, true},
	} {
		s := Summarize(&Flow{Protocol: &Flow_Http{Http: tt.http}})
		if got := s.Flags&FlagCoded != 0; got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// No body, an empty body and a body that was not kept are three things.
func TestBodyPresence(t *testing.T) {
	size := func(b *Body) int64 {
		s := Summarize(&Flow{Protocol: &Flow_Http{Http: &Http{Request: &Request{Body: b}}}})
		return s.RequestSize
	}
	if got := size(nil); got != Absent {
		t.Errorf("no body: size %d, want absent", got)
	}
	if got := size(&Body{State: BodyComplete}); got != 0 {
		t.Errorf("empty body: size %d, want 0", got)
	}
	if got := size(&Body{State: BodyDropped, Size: 5}); got != 5 {
		t.Errorf("dropped body: size %d, want 5", got)
	}
}

func TestURL(t *testing.T) {
	for _, tt := range []struct {
		scheme, host, authority, want string
		port                          uint32
	}{
		{"http", "a.test", "a.test", "http://a.test/p", 80},
		{"http", "a.test", "A.TEST:80", "http://a.test/p", 80},
		{"https", "a.test", "a.test:8443", "https://a.test:8443/p", 8443},
		{"https", "10.0.0.1", "b.test", "https://b.test/p", 443},
		{"http", "::1", "[::1]:8080", "http://[::1]:8080/p", 8080},
		{"http", "::1", "", "http://[::1]/p", 80},
		{"http", "a.test", "a.test:port", "http://a.test:port/p", 80},
		{"http", "", "", "", 80},
		{"", "a.test", "", "", 80},
	} {
		s := Summarize(&Flow{Protocol: &Flow_Http{Http: &Http{Request: &Request{
			Scheme: []byte(tt.scheme), Host: []byte(tt.host), Port: tt.port, Authority: []byte(tt.authority), Path: []byte("/p"),
		}}}})
		if got := s.URL(); got != tt.want {
			t.Errorf("%s %s:%d authority %q: URL %q, want %q", tt.scheme, tt.host, tt.port, tt.authority, got, tt.want)
		}
	}
}

func TestLabels(t *testing.T) {
	for got, want := range map[string]string{
		StateUnspecified.Label(): "unknown", StateRequest.Label(): "request", StateComplete.Label(): "complete", StateError.Label(): "error",
		ReplayNone.Label(): "", ReplayRequest.Label(): "request", KindHTTP.String(): "http", Kind(99).String(): "unknown",
	} {
		if got != want {
			t.Errorf("label %q, want %q", got, want)
		}
	}
}
