package resend

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	flowpb "weir/proto"
)

// MaxBody is the largest body that is put into a command, in bytes: Linux takes 128 KB for
// one argument. A program has room for more.
const (
	MaxBody        = 100 << 10
	maxProgramBody = 1 << 20
)

// Request is a request to be sent again.
type Request struct {
	Head *flowpb.Request
	// Route is "host" or "host:port" of the server it went to. That it was meant for
	// another is the Host field's to say.
	Route string
	Body  []byte // as it was sent, content coding kept; nil: none
}

// of takes the request of a flow, with a body of at most so many bytes. The error is
// [flowpb.ErrNoForm], a [flowpb.UnfitError], or that of reading the body.
func of(w *flowpb.Whole, most int64) (*Request, error) {
	q := w.Flow.GetHttp().GetRequest()
	if q == nil {
		return nil, flowpb.ErrNoForm
	}
	body, err := bodyOf(w, q.GetBody(), most)
	if err != nil {
		return nil, err
	}
	to := flowpb.Summarize(w.Flow)
	to.Authority = ""
	return &Request{Head: q, Route: to.HostPort(), Body: body}, nil
}

// bodyOf reads the body of a request; nil: there is none.
func bodyOf(w *flowpb.Whole, b *flowpb.Body, most int64) ([]byte, error) {
	unfit := func(format string, args ...any) error {
		return &flowpb.UnfitError{Err: fmt.Errorf("flow %d: "+format, append([]any{w.Flow.GetId()}, args...)...)}
	}
	switch {
	case b == nil:
		return nil, nil
	case b.GetState() == flowpb.BodyDropped:
		return nil, unfit("its body was passed on and not kept")
	case b.GetSize() > uint64(most):
		return nil, unfit("%w", tooLarge(most))
	case b.GetSize() == 0 || w.Body == nil:
		return []byte{}, nil
	}
	r, err := w.Body(flowpb.SideRequest)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(r, most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the body of flow %d: %w", w.Flow.GetId(), err)
	case int64(len(body)) > most:
		return nil, unfit("%w", tooLarge(most))
	case uint64(len(body)) < b.GetSize():
		return nil, unfit("only %d of %d bytes of its body are in the session", len(body), b.GetSize())
	}
	return body, nil
}

// ErrLargeBody is why a request with such a body has no command.
var ErrLargeBody = errors.New("its body is larger than a command line")

// tooLarge is why a request with a body of more bytes than that has no command or program.
func tooLarge(most int64) error {
	if most == MaxBody {
		return ErrLargeBody
	}
	return fmt.Errorf("its body is larger than the %d bytes that a program has room for", most)
}

// errNoAddress is why a request that nobody could read has none.
var errNoAddress = errors.New("its request names no method, host or scheme")

func (r *Request) has(name string) bool { return len(flowpb.Get(r.Head.GetHeaders(), name)) > 0 }

func (r *Request) isVersion(prefix string) bool {
	return bytes.HasPrefix(r.Head.GetVersion(), []byte(prefix))
}

// addressed reports whether there is a server to send the request to, and a method.
func (r *Request) addressed() bool {
	scheme := string(r.Head.GetScheme())
	return (scheme == "http" || scheme == "https") && r.Route != "" && len(r.Head.GetMethod()) > 0
}

// base is the URL of the server.
func (r *Request) base() string { return string(r.Head.GetScheme()) + "://" + r.Route }

// tokenChars are the characters of a field name (RFC 9110 section 5.6.2).
const tokenChars = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func isToken(s string) bool { return s != "" && strings.Trim(s, tokenChars) == "" }

// field is a header field to be sent.
type field struct{ name, value string }

// fields are the header fields that are to be sent beside Host and those that frame
// the body, for a tool that can send any field but line ends and NUL. host is the Host
// field; "" where the request has none.
func (r *Request) fields(tool string) (out []field, host string, err error) {
	host = string(r.Head.GetAuthority())
	if r.isVersion("HTTP/1") {
		host = ""
	}
	for _, f := range r.Head.GetHeaders() {
		name, value := string(f.GetName()), string(f.GetValue())
		switch strings.ToLower(name) {
		case "host":
			host = value
			continue
		case "content-length", "transfer-encoding", "proxy-connection", "proxy-authorization":
			continue
		}
		if strings.HasPrefix(name, ":") {
			continue
		}
		if !isToken(name) || strings.ContainsAny(value, "\x00\r\n") {
			return nil, "", cannotSend(tool, name)
		}
		if i := slices.IndexFunc(out, func(f field) bool { return strings.EqualFold(f.name, "cookie") }); i >= 0 &&
			strings.EqualFold(name, "cookie") && !r.isVersion("HTTP/1") {
			out[i].value += "; " + value // as RFC 9113 section 8.2.3 asks for
			continue
		}
		out = append(out, field{name, value})
	}
	return out, host, nil
}

func cannotSend(tool, name string) error {
	return fmt.Errorf("%s cannot send its header field %s", tool, strconv.Quote(name[:min(len(name), 40)]))
}

// chunked reports whether the body went in chunks.
func (r *Request) chunked() bool {
	for _, v := range flowpb.Get(r.Head.GetHeaders(), "transfer-encoding") {
		if strings.EqualFold(string(v), "chunked") {
			return r.Body != nil && !r.isVersion("HTTP/1.0")
		}
	}
	return false
}

// sendsEmptyBody reports whether the head announces a body although there is none.
func (r *Request) sendsEmptyBody() bool {
	return r.has("content-length") && string(r.Head.GetMethod()) != "HEAD"
}

// control reports whether s has a byte that no field or target may have
// (RFC 9110 section 5.5).
func control(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}
