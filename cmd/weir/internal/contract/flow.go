package contract

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	flowpb "weir/proto"
	"weir/proto/coding"
	"weir/store"
)

// Flow is one whole flow but the bytes of its bodies, as 'weir show --format
// json' prints it: query's keys, and these.
type Flow struct {
	Row
	Request       *Half     `json:"request"`
	Response      *Half     `json:"response"`
	Informational []Half    `json:"informational,omitempty"`
	WebSocket     *Socket   `json:"websocket,omitempty"`
	DNS           *DNS      `json:"dns,omitempty"`
	Messages      []Message `json:"messages"`
	MoreMessages  bool      `json:"more_messages,omitempty"` // there are more than are printed
	ClientConn    *Conn     `json:"client_conn"`
	ServerConn    *Conn     `json:"server_conn"`
	Timing        Timing    `json:"timing"`
	ErrorDetail   *Error    `json:"error_detail,omitempty"`
	// Meta is what else is known, [key, value]: what is odd about a message, the proxy user …
	Meta [][2]string `json:"meta,omitempty"`
}

// Half is a request or a response. Headers and trailers are [name, value] in
// the order and case of the wire.
type Half struct {
	Method      *string     `json:"method,omitempty"`
	Target      *string     `json:"target,omitempty"`
	Authority   *string     `json:"authority,omitempty"`
	Status      *uint32     `json:"status,omitempty"`
	Reason      *string     `json:"reason,omitempty"`
	HTTPVersion *string     `json:"http_version"`
	Headers     [][2]string `json:"headers"`
	Trailers    [][2]string `json:"trailers"`
	// BodySize is what is stored, content coding kept; null: there is no body.
	BodySize *int64 `json:"body_size"`
	// BodyState is complete, streaming, cut or dropped.
	BodyState *string `json:"body_state"`
	// BodyDecodedSize and BodySHA256 are of the body with its content codings
	// undone, or of the stored body where they cannot be (BodyCodingError).
	BodyDecodedSize *int64  `json:"body_decoded_size"`
	BodySHA256      *string `json:"body_sha256"`
	BodyCodingError *string `json:"body_coding_error,omitempty"`
}

// Error is why a flow failed.
type Error struct {
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Hint    *string `json:"hint"`
	At      *string `json:"at"`
}

// Load makes a Flow of a head, with the connections that it names where they are there.
// Bodies are read through once, piece by piece, for their hash.
func Load(ctx context.Context, s *store.Session, f *flowpb.Flow, client, server *flowpb.Conn) (*Flow, error) {
	rows, err := s.Rows(ctx, []uint64{f.GetId()})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("flow %d: %w", f.GetId(), store.ErrNotFound)
	}
	out := &Flow{
		Row: NewRow(s.UUID(), &rows[0]), ErrorDetail: newError(f.GetError()),
		ClientConn: newConn(client), ServerConn: newConn(server), Timing: newTiming(f, server),
		WebSocket: newWebSocket(f.GetHttp().GetWebsocket()), DNS: newDNS(f.GetDns()),
	}
	for _, m := range f.GetMeta() {
		out.Meta = append(out.Meta, [2]string{String(m.GetKey()), String(m.GetValue())})
	}
	if err := out.halves(ctx, s, f); err != nil {
		return nil, err
	}
	out.Messages, out.MoreMessages, err = loadMessages(ctx, s, f.GetId())
	return out, err
}

// halves fills in request, response and 1xx of an HTTP flow.
func (o *Flow) halves(ctx context.Context, s *store.Session, f *flowpb.Flow) error {
	h := f.GetHttp()
	if h == nil {
		return nil
	}
	if q := h.GetRequest(); q != nil {
		o.Request = &Half{
			Method: bytesText(q.GetMethod()), Target: bytesText(q.GetTarget()), Authority: bytesText(q.GetAuthority()),
			HTTPVersion: bytesText(q.GetVersion()), Headers: pairs(q.GetHeaders()), Trailers: pairs(q.GetTrailers()),
		}
		if err := o.Request.body(ctx, s, f.GetId(), flowpb.SideRequest, q.GetBody(), q.GetHeaders()); err != nil {
			return err
		}
	}
	if p := h.GetResponse(); p != nil {
		o.Response = newResponse(p)
		if err := o.Response.body(ctx, s, f.GetId(), flowpb.SideResponse, p.GetBody(), p.GetHeaders()); err != nil {
			return err
		}
	}
	for _, p := range h.GetInformational() {
		o.Informational = append(o.Informational, *newResponse(p))
	}
	return nil
}

func newResponse(p *flowpb.Response) *Half {
	status := p.GetStatus()
	return &Half{
		Status: &status, Reason: bytesText(p.GetReason()), HTTPVersion: bytesText(p.GetVersion()),
		Headers: pairs(p.GetHeaders()), Trailers: pairs(p.GetTrailers()),
	}
}

// body describes a stored body, decoded for its hash.
func (h *Half) body(ctx context.Context, s *store.Session, id uint64, side flowpb.Side, b *flowpb.Body, headers []*flowpb.Field) error {
	if b == nil {
		return nil
	}
	size, state := int64(b.GetSize()), bodyState(b.GetState())
	h.BodySize, h.BodyState = &size, &state
	if b.GetState() == flowpb.BodyDropped {
		return nil
	}
	stored, err := s.Body(ctx, id, side)
	if err != nil {
		return err
	}
	encodings := coding.Of(b, headers)
	n, sum, err := digest(stored.NewReader(ctx), encodings)
	if err != nil {
		var broken *codingError
		if !errors.As(err, &broken) {
			return err
		}
		h.BodyCodingError = Text(broken.Error())
		if n, sum, err = digest(stored.NewReader(ctx), nil); err != nil {
			return err
		}
	}
	h.BodyDecodedSize, h.BodySHA256 = &n, &sum
	return nil
}

// codingError tells a body that does not decode from a session that cannot be read.
type codingError struct{ err error }

func (e *codingError) Error() string { return e.err.Error() }
func (e *codingError) Unwrap() error { return e.err }

// digest reads r through its content codings and returns the size and SHA-256 of
// what comes out.
func digest(r io.Reader, encodings []string) (int64, string, error) {
	decoded, err := coding.NewReader(r, encodings)
	if err != nil {
		return 0, "", &codingError{err}
	}
	defer decoded.Close()
	hash := sha256.New()
	n, err := io.Copy(hash, decoded)
	if err != nil {
		if len(encodings) > 0 {
			err = &codingError{err}
		}
		return 0, "", err
	}
	return n, hex.EncodeToString(hash.Sum(nil)), nil
}

func bodyState(s flowpb.BodyState) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), "BODY_STATE_"))
}

func bytesText(p []byte) *string { return Text(string(p)) }

func pairs(fields []*flowpb.Field) [][2]string {
	out := make([][2]string, len(fields))
	for i, f := range fields {
		out[i] = [2]string{String(string(f.GetName())), String(string(f.GetValue()))}
	}
	return out
}

func newError(e *flowpb.Error) *Error {
	if e == nil {
		return nil
	}
	return &Error{
		Code:    strings.ToLower(strings.TrimPrefix(e.GetCode().String(), "ERROR_CODE_")),
		Message: String(e.GetMessage()), Hint: Text(e.GetHint()), At: Moment(e.GetAtNs()),
	}
}
