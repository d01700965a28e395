package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"

	flowpb "weir/proto"
	"weir/proto/coding"
)

// Bounds of an operation.
const (
	maxQuery   = 100
	maxStatus  = 20
	maxMedia   = 10
	maxSamples = 32
	maxSample  = 256 << 10
)

// operation is what was seen of one method of one path.
type operation struct {
	requests   int
	parameters []parameter
	query      map[string]*property
	request    message
	responses  map[string]*message // by status
	security   map[string]bool
	// dropped is whether something of it is beyond the bounds.
	dropped bool
}

// message is what was seen of requests, or of responses with one status.
type message struct {
	reason  string
	content map[string]*schema // by media type
	samples int
}

// add takes an exchange.
func (o *operation) add(f *flowpb.Whole, h *flowpb.Http, query string) error {
	o.requests++
	o.asked(query)
	q, p := h.GetRequest(), h.GetResponse()
	for _, v := range flowpb.Get(q.GetHeaders(), "authorization") {
		scheme, _, _ := strings.Cut(strings.ToLower(string(v)), " ")
		if scheme == "bearer" || scheme == "basic" || scheme == "digest" {
			o.security[scheme] = true
		}
	}
	if err := o.take(&o.request, f, flowpb.SideRequest, q.GetHeaders(), q.GetBody()); err != nil || p == nil {
		return err
	}
	status := fmt.Sprintf("%03d", p.GetStatus())
	m := o.responses[status]
	if m == nil {
		if len(o.responses) >= maxStatus || p.GetStatus() < 100 || p.GetStatus() > 599 {
			o.dropped = true
			return nil
		}
		m = &message{reason: strings.ToValidUTF8(string(p.GetReason()), "\uFFFD")}
		o.responses[status] = m
	}
	return o.take(m, f, flowpb.SideResponse, p.GetHeaders(), p.GetBody())
}

// asked takes the query of a request.
func (o *operation) asked(query string) {
	values, _ := url.ParseQuery(query) // what can be read of it
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		p := o.query[name]
		if p == nil {
			if len(o.query) >= maxQuery {
				o.dropped = true
				continue
			}
			p = &property{}
			o.query[name] = p
		}
		p.seen++
		for _, v := range values[name] {
			p.add(scalar(v), 0)
		}
	}
}

// scalar is a value of a query or a form by what it looks like.
func scalar(v string) any {
	if v == "true" || v == "false" {
		return v == "true"
	}
	if _, err := strconv.ParseInt(v, 10, 64); err == nil && (v == "0" || v[0] != '0' && v[0] != '+') {
		return json.Number(v)
	}
	return v
}

// take looks at a body.
func (o *operation) take(m *message, f *flowpb.Whole, side flowpb.Side, fields []*flowpb.Field, b *flowpb.Body) error {
	if b.GetSize() == 0 {
		return nil
	}
	media := "application/octet-stream"
	for _, v := range flowpb.Get(fields, "content-type") {
		if t, _, err := mime.ParseMediaType(string(v)); err == nil {
			media = t
		}
	}
	s := m.content[media]
	if s == nil {
		if len(m.content) >= maxMedia {
			o.dropped = true
			return nil
		}
		if m.content == nil {
			m.content = map[string]*schema{}
		}
		s = &schema{}
		m.content[media] = s
	}
	if m.samples >= maxSamples || b.GetState() != flowpb.BodyComplete || f.Body == nil {
		return nil
	}
	isJSON := media == "application/json" || strings.HasSuffix(media, "+json")
	if !isJSON && media != "application/x-www-form-urlencoded" {
		return nil
	}
	m.samples++
	p, err := sample(f, side, fields, b)
	switch {
	case err != nil || p == nil:
		return err
	case isJSON:
		d := json.NewDecoder(bytes.NewReader(p))
		d.UseNumber()
		var v any
		if d.Decode(&v) == nil {
			s.add(v, 0)
		}
	default:
		form := map[string]any{}
		values, _ := url.ParseQuery(string(p))
		for name, v := range values {
			form[name] = scalar(v[0])
		}
		s.add(form, 0)
	}
	return nil
}

// sample reads a body, decoded; nil where it cannot be, or is too large.
func sample(f *flowpb.Whole, side flowpb.Side, fields []*flowpb.Field, b *flowpb.Body) ([]byte, error) {
	r, err := f.Body(side)
	if err != nil || r == nil {
		return nil, err
	}
	read := &failing{Reader: r}
	decoded, err := coding.NewReader(read, coding.Of(b, fields))
	if err != nil {
		return nil, nil // a coding that is not known
	}
	defer decoded.Close()
	p, err := io.ReadAll(io.LimitReader(decoded, maxSample+1))
	if read.err != nil {
		return nil, fmt.Errorf("read a body of flow %d: %w", f.Flow.GetId(), read.err)
	}
	if err != nil || len(p) > maxSample {
		return nil, nil
	}
	return p, nil
}

// failing remembers an error of the body itself, as against one of its coding.
type failing struct {
	io.Reader
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}
