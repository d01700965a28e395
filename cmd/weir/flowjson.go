package main

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

// flowJSON is one whole flow but the bytes of its bodies, as 'weir show --format
// json' prints it: query's keys, and these.
type flowJSON struct {
	row
	Request       *halfJSON     `json:"request"`
	Response      *halfJSON     `json:"response"`
	Informational []halfJSON    `json:"informational,omitempty"`
	WebSocket     *socketJSON   `json:"websocket,omitempty"`
	DNS           *dnsJSON      `json:"dns,omitempty"`
	Messages      []messageJSON `json:"messages"`
	MoreMessages  bool          `json:"more_messages,omitempty"` // there are more than are printed
	ClientConn    *connJSON     `json:"client_conn"`
	ServerConn    *connJSON     `json:"server_conn"`
	Timing        timingJSON    `json:"timing"`
	ErrorDetail   *errorJSON    `json:"error_detail,omitempty"`
	// Meta is what else is known, [key, value]: what is odd about a message, the proxy user …
	Meta [][2]string `json:"meta,omitempty"`

	dns *flowpb.Dns // for the text form
}

// halfJSON is a request or a response. Headers and trailers are [name, value] in
// the order and case of the wire.
type halfJSON struct {
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

type errorJSON struct {
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Hint    *string `json:"hint"`
	At      *string `json:"at"`
}

// loadFlowJSON reads a whole flow. Bodies are read through once, piece by piece,
// for their hash.
func loadFlowJSON(ctx context.Context, s reading, id uint64) (*flowJSON, error) {
	rows, err := s.Rows(ctx, []uint64{id})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("flow %d: %w", id, store.ErrNotFound)
	}
	f, err := s.Flow(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &flowJSON{row: newRow(s.UUID(), &rows[0]), ErrorDetail: newError(f.GetError())}
	for _, m := range f.GetMeta() {
		out.Meta = append(out.Meta, [2]string{jsonText(m.GetKey()), jsonText(m.GetValue())})
	}
	if err := out.halves(ctx, s, f); err != nil {
		return nil, err
	}
	client, err := loadConn(ctx, s.Session, f.GetClientConn())
	if err != nil {
		return nil, err
	}
	server, err := loadConn(ctx, s.Session, f.GetServerConn())
	if err != nil {
		return nil, err
	}
	out.ClientConn, out.ServerConn, out.Timing = newConn(client), newConn(server), newTiming(f, server)
	out.WebSocket, out.DNS = newWebSocket(f.GetHttp().GetWebsocket()), newDNS(f.GetDns())
	out.dns = f.GetDns()
	out.Messages, out.MoreMessages, err = loadMessages(ctx, s.Session, id)
	return out, err
}

// halves fills in request, response and 1xx of an HTTP flow.
func (o *flowJSON) halves(ctx context.Context, s reading, f *flowpb.Flow) error {
	h := f.GetHttp()
	if h == nil {
		return nil
	}
	if q := h.GetRequest(); q != nil {
		o.Request = &halfJSON{
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

func newResponse(p *flowpb.Response) *halfJSON {
	status := p.GetStatus()
	return &halfJSON{
		Status: &status, Reason: bytesText(p.GetReason()), HTTPVersion: bytesText(p.GetVersion()),
		Headers: pairs(p.GetHeaders()), Trailers: pairs(p.GetTrailers()),
	}
}

// body describes a stored body, decoded for its hash.
func (h *halfJSON) body(ctx context.Context, s reading, id uint64, side flowpb.Side, b *flowpb.Body, headers []*flowpb.Field) error {
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
		h.BodyCodingError = text(broken.Error())
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

func bytesText(p []byte) *string { return text(string(p)) }

func pairs(fields []*flowpb.Field) [][2]string {
	out := make([][2]string, len(fields))
	for i, f := range fields {
		out[i] = [2]string{jsonText(string(f.GetName())), jsonText(string(f.GetValue()))}
	}
	return out
}

func newError(e *flowpb.Error) *errorJSON {
	if e == nil {
		return nil
	}
	return &errorJSON{
		Code:    strings.ToLower(strings.TrimPrefix(e.GetCode().String(), "ERROR_CODE_")),
		Message: jsonText(e.GetMessage()), Hint: text(e.GetHint()), At: moment(e.GetAtNs()),
	}
}
