package flowpb

import (
	"bytes"
	"strconv"
	"strings"
)

// Kind is the protocol of a flow as people name it.
type Kind uint8

// The kinds. Their numbers are stored in session files and never change.
const (
	KindUnknown Kind = 0
	KindHTTP    Kind = 1
	KindTCP     Kind = 2
	KindUDP     Kind = 3
	KindDNS     Kind = 4
	KindTLS     Kind = 5 // a TLS handshake that failed
)

// String is the kind's name in the command line's JSON; unknown kinds print as "unknown".
func (k Kind) String() string {
	switch k {
	case KindHTTP:
		return "http"
	case KindTCP:
		return "tcp"
	case KindUDP:
		return "udp"
	case KindDNS:
		return "dns"
	case KindTLS:
		return "tls"
	default:
		return "unknown"
	}
}

// Label is the state's name in the command line's JSON: "request", "waiting",
// "response", "open", "complete", "error".
func (s State) Label() string {
	switch s {
	case StateUnspecified:
		return "unknown"
	default:
		return strings.ToLower(strings.TrimPrefix(s.String(), "STATE_"))
	}
}

// Label is the replay mark's name in the command line's JSON, "" for none.
func (r Replay) Label() string {
	switch r {
	case ReplayRequest:
		return "request"
	case ReplayResponse:
		return "response"
	default:
		return ""
	}
}

// Flags are the yes-or-no facts of a flow, as one stored column.
type Flags uint32

// The flags. Their bits are stored in session files and never change.
const (
	FlagResponse  Flags = 1 << iota // there is a response (HTTP, DNS)
	FlagError                       // Flow.error is set
	FlagWebSocket                   // HTTP that became WebSocket
	FlagUpgrade                     // HTTP that became something else
	FlagSSE                         // the response is a text/event-stream
	FlagGRPC                        // the response or request is application/grpc…
	FlagTLS                         // it went over TLS
	FlagModified                    // a rule or a user changed it
	FlagGap                         // bytes of it were never seen
	FlagTrailers                    // the response has trailers
	FlagCoded                       // request or response has a Content-Encoding
	FlagFailed                      // the response says that there is no answer: a DNS response code other than 0
)

// Absent is the value of a Summary's sizes and duration where there is none.
const Absent int64 = -1

// Summary is what lists, sorts and cheap filters use of a flow: the columns of
// a session's flow table, and nothing that would need the blob again.
type Summary struct {
	ID      uint64
	Kind    Kind
	State   State
	Replay  Replay
	Flags   Flags
	Started int64 // Flow.created_ns

	Method string
	Scheme string
	Host   string // where the flow went: name or address, no brackets
	Port   uint32
	// Authority is the Host field (or :authority) where it names another host or
	// port than Host and Port do, else "".
	Authority string
	Path      string // path and query; for DNS the name that is asked for
	Version   string // "HTTP/1.1"
	Status    uint32 // 0: no response
	// ContentType and RequestType are the Content-Type fields of response and
	// request as sent, several joined by ", ".
	ContentType string
	RequestType string

	RequestSize  int64 // bytes of stored body, or of a stream's client side; Absent: none
	ResponseSize int64
	Duration     int64 // nanoseconds from Started to the end; Absent while open
	TTFB         int64 // nanoseconds from Started to the response's first byte; Absent: none

	Client string // "host:port"
	Server string
	Agent  string // what captured it, as of Flow.agent

	// Session is the name of the session that recorded the flow, its file's without
	// the suffix. Whoever reads the flow from a file fills it in: a head does not know.
	Session string
}

// URL is the address as the client meant it: by Authority where that differs
// from the place it went to. It is "" for kinds that have none.
func (s *Summary) URL() string {
	switch s.Kind {
	case KindHTTP:
		if s.Scheme == "" || s.Host == "" && s.Authority == "" {
			return "" // nobody could read the request so far
		}
		return s.Scheme + "://" + s.HostPort() + s.Path
	case KindDNS:
		return s.Path
	default:
		return ""
	}
}

// HostPort is the authority part of the URL: the port is left out where it is
// the scheme's own, and IPv6 addresses stand in brackets.
func (s *Summary) HostPort() string {
	if s.Authority != "" {
		return s.Authority
	}
	return hostPort(s.Scheme, s.Host, s.Port)
}

func hostPort(scheme, host string, port uint32) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == 0 || scheme == "http" && port == 80 || scheme == "https" && port == 443 {
		return host
	}
	return host + ":" + strconv.FormatUint(uint64(port), 10)
}

// Summarize reduces a head to its Summary. Invalid UTF-8 is kept as it is.
func Summarize(f *Flow) Summary {
	s := Summary{
		ID: f.GetId(), State: f.GetState(), Replay: f.GetReplay(), Started: f.GetCreatedNs(),
		Client: string(f.GetClient()), Server: string(f.GetServer()), Agent: string(f.GetAgent()),
		RequestSize: Absent, ResponseSize: Absent, Duration: Absent, TTFB: Absent,
	}
	if f.GetError() != nil {
		s.Flags |= FlagError
	}
	if len(f.GetGaps()) > 0 {
		s.Flags |= FlagGap
	}
	switch p := f.GetProtocol().(type) {
	case *Flow_Http:
		s.http(p.Http)
	case *Flow_Tcp:
		s.Kind = KindTCP
		s.stream(p.Tcp)
	case *Flow_Udp:
		s.Kind = KindUDP
		s.stream(p.Udp)
	case *Flow_Dns:
		s.dns(p.Dns)
	case *Flow_Tls:
		s.Kind = KindTLS
		s.Flags |= FlagTLS
		s.Host, s.Port = string(p.Tls.GetHost()), p.Tls.GetPort()
		if s.Host == "" {
			s.Host = string(p.Tls.GetSni())
		}
		s.ended(p.Tls.GetEndedNs())
	}
	if s.Duration == Absent && f.GetError() != nil {
		s.ended(f.GetError().GetAtNs())
	}
	if s.Host == "" && (s.Kind != KindHTTP || f.GetHttp().GetRequest() == nil) {
		s.Host, s.Port = splitHostPort(s.Server)
	}
	return s
}

// ended sets the duration, given when the flow's last byte was seen.
func (s *Summary) ended(at int64) {
	if at > 0 && at >= s.Started {
		s.Duration = at - s.Started
	}
}

func (s *Summary) http(h *Http) {
	s.Kind = KindHTTP
	q, p := h.GetRequest(), h.GetResponse()
	s.Method, s.Scheme, s.Path = string(q.GetMethod()), string(q.GetScheme()), string(q.GetPath())
	s.Host, s.Port, s.Version = string(q.GetHost()), q.GetPort(), string(q.GetVersion())
	if a := string(q.GetAuthority()); a != "" && !sameAuthority(s.Scheme, a, s.Host, s.Port) {
		s.Authority = a
	}
	s.RequestType = joined(q.GetHeaders(), "content-type")
	s.RequestSize = size(q.GetBody())
	if s.Scheme == "https" {
		s.Flags |= FlagTLS
	}
	if h.GetWebsocket() != nil {
		s.Flags |= FlagWebSocket
	} else if h.GetUpgrade() != nil {
		s.Flags |= FlagUpgrade
	}
	if h.GetOriginalRequest() != nil || h.GetOriginalResponse() != nil {
		s.Flags |= FlagModified
	}
	if p != nil {
		s.response(p)
	}
	if len(Get(q.GetHeaders(), "content-encoding"))+len(Get(p.GetHeaders(), "content-encoding")) > 0 {
		s.Flags |= FlagCoded
	}
	if mediaType(s.ContentType, "application/grpc") || mediaType(s.RequestType, "application/grpc") {
		s.Flags |= FlagGRPC
	}
	s.ended(max(p.GetEndedNs(), h.GetUpgrade().GetEndedNs(), h.GetWebsocket().GetEndedNs()))
}

func (s *Summary) response(p *Response) {
	s.Flags |= FlagResponse
	s.Status = p.GetStatus()
	s.ContentType = joined(p.GetHeaders(), "content-type")
	s.ResponseSize = size(p.GetBody())
	if at := p.GetStartedNs(); at >= s.Started && at > 0 {
		s.TTFB = at - s.Started
	}
	if mediaType(s.ContentType, "text/event-stream") {
		s.Flags |= FlagSSE
	}
	if len(p.GetTrailers()) > 0 {
		s.Flags |= FlagTrailers
	}
}

func (s *Summary) stream(t *Stream) {
	s.RequestSize, s.ResponseSize = int64(t.GetClientBytes()), int64(t.GetServerBytes())
	s.ended(t.GetEndedNs())
}

func (s *Summary) dns(d *Dns) {
	s.Kind = KindDNS
	s.Path = string(d.name())
	if r := d.GetResponse(); r != nil {
		s.Flags |= FlagResponse
		if r.GetResponseCode() != 0 {
			s.Flags |= FlagFailed
		}
		s.ended(r.GetAtNs())
	}
}

// name is what is asked for: a response that was seen alone says it too, or, in multicast
// DNS, answers without saying what.
func (d *Dns) name() []byte {
	for _, m := range []*DnsMessage{d.GetRequest(), d.GetResponse()} {
		if q := m.GetQuestions(); len(q) > 0 {
			return q[0].GetName()
		}
	}
	if a := d.GetResponse().GetAnswers(); len(a) > 0 {
		return a[0].GetName()
	}
	return nil
}

func size(b *Body) int64 {
	if b == nil {
		return Absent
	}
	return int64(b.GetSize())
}

// mediaType reports whether the Content-Type value names a type that starts
// with prefix ("application/grpc" also covers "application/grpc+proto").
func mediaType(value, prefix string) bool {
	return len(value) >= len(prefix) && strings.EqualFold(value[:len(prefix)], prefix)
}

// Get returns the values of all fields with this name, in order, whatever its case.
func Get(fields []*Field, name string) [][]byte {
	var out [][]byte
	for _, f := range fields {
		if len(f.GetName()) == len(name) && strings.EqualFold(string(f.GetName()), name) {
			out = append(out, f.GetValue())
		}
	}
	return out
}

func joined(fields []*Field, name string) string {
	values := Get(fields, name)
	if len(values) == 1 {
		return string(values[0])
	}
	return string(bytes.Join(values, []byte(", ")))
}

// sameAuthority reports whether the authority a, as sent, means host and port.
func sameAuthority(scheme, a, host string, port uint32) bool {
	h, p := splitHostPort(a)
	if p == 0 {
		switch scheme {
		case "http":
			p = 80
		case "https":
			p = 443
		}
	}
	return p == port && strings.EqualFold(h, host)
}

// splitHostPort takes "host:port" apart, brackets removed. A part that is not
// there, or is no port number, is "" or 0.
func splitHostPort(a string) (host string, port uint32) {
	i := strings.LastIndexByte(a, ':')
	if i < 0 || strings.HasSuffix(a, "]") {
		return strings.Trim(a, "[]"), 0
	}
	n, err := strconv.ParseUint(a[i+1:], 10, 16)
	if err != nil {
		return strings.Trim(a, "[]"), 0
	}
	return strings.Trim(a[:i], "[]"), uint32(n)
}
