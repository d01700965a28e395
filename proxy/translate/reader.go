package translate

import (
	"fmt"
	"strconv"

	"weir/proxy/h1"
	"weir/proxy/h2"
)

// Kind is the kind of a Part.
type Kind uint8

// The kinds of parts.
const (
	NeedMore Kind = iota // all input is taken
	Head                 // Fields: a request, or a final response
	Interim              // Fields: a 1xx response
	Data                 // Data
	End                  // the message is over; Fields are its trailers
)

// Part is a piece of a message as HTTP/2 has it. Slices are valid until the next call.
type Part struct {
	Kind   Kind
	Fields []h2.Field // in the order to be sent, pseudo-header fields first
	Data   []byte
	Last   bool // of a Head: nothing follows, and no End does
}

// Reader reads the messages of HTTP/1 that one end is to be sent.
type Reader struct {
	// Scheme and Authority are what a request does not say itself: Authority is for one without Host.
	Scheme, Authority string
	// Sockets reports whether a server takes WebSocket by extended CONNECT. It is asked
	// when a request wants that; nil is no.
	Sockets func() bool

	role     h1.Role
	answers  Request // what the next response answers
	declined bool    // the last request wanted WebSocket, and was written without
	opens    bool    // the last request opens a tunnel, if it is agreed to
	raw      bool    // it was
	in       *h1.Reader
	fields   []h2.Field
	request  Request // the last one read
	tunnel   bool
	over     bool // the message was over with its head
	interim  bool // what is read is an interim response
}

// NewReader returns a Reader of requests or of responses.
func NewReader(role h1.Role, lim h1.Limits) *Reader {
	return &Reader{role: role, in: h1.NewReader(role, lim)}
}

// ForRequest names the request that the next final response answers.
func (r *Reader) ForRequest(q Request) {
	r.answers = q
	r.in.ForRequest([]byte(q.Method))
}

// Open says that a server agreed to the tunnel that the last request opens: what
// follows is content.
func (r *Reader) Open() { r.raw, r.tunnel = true, true }

// Tunnel reports whether what follows is bytes without meaning.
func (r *Reader) Tunnel() bool { return r.tunnel }

// Declined reports whether the last request wanted WebSocket, which the server does
// not take, so that it was left out.
func (r *Reader) Declined() bool { return r.declined }

// Request is what the response to the last request has to know.
func (r *Reader) Request() Request { return r.request }

// Idle reports whether the Reader stands between two messages.
func (r *Reader) Idle() bool { return r.in.Idle() }

// Endless reports whether the message that is being read lasts until the
// connection ends.
func (r *Reader) Endless() bool { return r.in.Endless() || r.tunnel }

// Feed takes bytes from the front of p and returns how many it took and what they
// amount to. An error is final.
func (r *Reader) Feed(p []byte) (n int, part Part, err error) {
	if r.raw {
		if len(p) == 0 {
			return 0, Part{}, nil
		}
		return len(p), Part{Kind: Data, Data: p}, nil
	}
	for {
		took, ev, err := r.in.Feed(p[n:])
		n += took
		if err != nil {
			return n, Part{}, err
		}
		switch ev.Kind {
		case h1.NeedMore:
			return n, Part{}, nil
		case h1.MessageHead:
			part, err = r.head(ev.Head)
			return n, part, err
		case h1.Data, h1.Tunnel:
			return n, Part{Kind: Data, Data: ev.Data}, nil
		case h1.MessageEnd:
			if part, more := r.end(ev.Trailer); more {
				return n, part, nil
			}
		}
	}
}

// end ends a message. It reports false where the head said so already, or where
// it was none that ends a stream.
func (r *Reader) end(trailers []h1.Field) (Part, bool) {
	if r.over || r.interim || r.tunnel || r.opens {
		return Part{}, false
	}
	r.fields = toHTTP2(r.fields[:0], trailers, "")
	return Part{Kind: End, Fields: r.fields}, true
}

// head makes the header block of a message.
func (r *Reader) head(head *h1.Head) (Part, error) {
	if r.role == h1.Request {
		return r.requestHead(head)
	}
	switch {
	case head.Status == 101:
		return r.agreed(head)
	case r.answers.Key != "" && head.Status/100 == 2:
		return Part{}, fmt.Errorf("status %d instead of 101, which in HTTP/2 would agree to WebSocket", head.Status)
	}
	r.fields = append(r.fields[:0], h2.Field{Name: ":status", Value: strconv.Itoa(head.Status)})
	r.fields = toHTTP2(r.fields, head.Fields, length(head))
	if r.interim = head.Informational(); r.interim {
		return Part{Kind: Interim, Fields: r.fields}, nil
	}
	r.tunnel = head.Framing == h1.FramingTunnel
	r.over = head.Framing == h1.FramingNone || head.Framing == h1.FramingLength && head.Length == 0
	return Part{Kind: Head, Fields: r.fields, Last: r.over}, nil
}

func (r *Reader) requestHead(head *h1.Head) (Part, error) {
	path := string(head.Target)
	connect := string(head.Method) == "CONNECT"
	switch {
	case connect && !isTarget(path):
		return Part{}, fmt.Errorf("CONNECT to %q, which is no authority", path)
	case !connect && (path == "" || path[0] != '/' && (path != "*" || string(head.Method) != "OPTIONS") || !isTarget(path)):
		return Part{}, fmt.Errorf("request target %q, which is no path", path)
	}
	authority := r.Authority
	if host, ok := head.Get("Host"); ok && len(host) > 0 {
		authority = string(host)
	}
	if !isValue(authority) { // let through leniently
		return Part{}, fmt.Errorf("host %q, which HTTP/2 cannot name", authority)
	}
	key := socketKey(head)
	r.declined = key != "" && (r.Sockets == nil || !r.Sockets())
	if r.declined {
		key = ""
	}
	r.request = Request{Method: string(head.Method), Old: head.Minor == 0, Key: key}
	r.opens, r.over = connect || key != "", false
	r.fields = r.pseudo(r.fields[:0], path, authority)
	if r.opens {
		r.fields = toHTTP2(r.fields, head.Fields, "", "host", "sec-websocket-key")
		return Part{Kind: Head, Fields: r.fields}, nil
	}
	r.fields = toHTTP2(r.fields, head.Fields, length(head), "host")
	r.over = head.Framing == h1.FramingNone || head.Framing == h1.FramingLength && head.Length == 0
	return Part{Kind: Head, Fields: r.fields, Last: r.over}, nil
}

// pseudo appends the pseudo-header fields of the request (RFC 9113 §8.3.1, §8.5; RFC
// 8441 §4).
func (r *Reader) pseudo(out []h2.Field, target, authority string) []h2.Field {
	switch {
	case r.request.Method == "CONNECT":
		return append(out, h2.Field{Name: ":method", Value: "CONNECT"}, h2.Field{Name: ":authority", Value: target})
	case r.request.Key != "":
		out = append(out, h2.Field{Name: ":method", Value: "CONNECT"}, h2.Field{Name: ":protocol", Value: websocket})
	default:
		out = append(out, h2.Field{Name: ":method", Value: r.request.Method})
	}
	return append(out, h2.Field{Name: ":scheme", Value: r.Scheme},
		h2.Field{Name: ":authority", Value: authority}, h2.Field{Name: ":path", Value: target})
}

// End says that the input is over. It reports whether that completes the message,
// one that lasts until then.
func (r *Reader) End() bool {
	ev, err := r.in.End()
	return err == nil && (ev.Kind == h1.MessageEnd || r.tunnel)
}
