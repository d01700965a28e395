package har

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/url"
	"strings"

	flowpb "weir/proto"
	"weir/proto/coding"
)

// postData writes the body of a request: as text, else as base64, which HAR 1.2 has no
// word for here; most programs know "encoding".
func (w *Writer) postData(f *flowpb.Whole, q *flowpb.Request) {
	mime := joined(q.GetHeaders())
	w.print(`,"postData":{"mimeType":`)
	w.string(mime)
	text, whole := w.body(f, flowpb.SideRequest, nil, int64(q.GetBody().GetSize()))
	if s, ok := asText(text, mime); whole && ok {
		w.member("text", s)
		if strings.HasPrefix(strings.ToLower(mime), "application/x-www-form-urlencoded") {
			w.print(`,"params":`)
			w.pairs(s)
		}
	} else {
		w.print(`,"text":`)
		w.base64(f, flowpb.SideRequest, nil, text, whole)
		w.print(`,"encoding":"base64"`)
	}
	w.print("}")
}

// content writes the body of a response with its content codings undone, or, where
// they cannot be, as it was received.
func (w *Writer) content(f *flowpb.Whole, p *flowpb.Response, meta *metas) {
	b := p.GetBody()
	mime := joined(p.GetHeaders())
	w.print(`{"size":`)
	if b == nil || b.GetState() == flowpb.BodyDropped {
		w.int(int64(b.GetSize()))
		w.member("mimeType", mime)
		w.members(meta.under(metaContent), true)
		w.print("}")
		return
	}
	codings := coding.Of(b, p.GetHeaders())
	size, err := w.measure(f, codings)
	undecoded := err != nil && len(codings) > 0
	if undecoded {
		codings = nil
		size, err = w.measure(f, nil)
	}
	w.fail(err)
	w.int(size)
	if r := received(b); r >= 0 && r != size {
		w.print(`,"compression":`)
		w.int(size - r)
	}
	w.member("mimeType", mime)
	text, whole := w.body(f, flowpb.SideResponse, codings, size)
	if s, ok := asText(text, mime); whole && ok && !undecoded {
		w.member("text", s)
	} else {
		w.print(`,"text":`)
		w.base64(f, flowpb.SideResponse, codings, text, whole)
		w.print(`,"encoding":"base64"`)
	}
	if undecoded {
		w.print(`,"_undecoded":true`)
	}
	w.members(meta.under(metaContent), true)
	w.print("}")
}

// measure reads the response's body through for its size.
func (w *Writer) measure(f *flowpb.Whole, codings []string) (int64, error) {
	r, err := open(f, flowpb.SideResponse, codings)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	return io.Copy(io.Discard, r)
}

// body returns the bytes of a body of a known size, and whether they are all of it; none
// of one that is larger than maxText.
func (w *Writer) body(f *flowpb.Whole, side flowpb.Side, codings []string, size int64) (p []byte, whole bool) {
	if size > maxText {
		return nil, false
	}
	r, err := open(f, side, codings)
	if err != nil {
		w.fail(err)
		return nil, true
	}
	defer r.Close()
	p, err = io.ReadAll(io.LimitReader(r, maxText+1))
	w.fail(err)
	return p, len(p) <= maxText
}

// base64 writes the body as a string of it; head is what was read already.
func (w *Writer) base64(f *flowpb.Whole, side flowpb.Side, codings []string, head []byte, whole bool) {
	w.print(`"`)
	defer w.print(`"`)
	var from io.Reader = bytes.NewReader(head)
	if !whole {
		r, err := open(f, side, codings)
		if err != nil {
			w.fail(err)
			return
		}
		defer r.Close()
		from = r
	}
	enc := base64.NewEncoder(base64.StdEncoding, w.w)
	_, err := io.Copy(enc, from)
	w.fail(err)
	w.fail(enc.Close())
}

func (w *Writer) fail(err error) {
	if err != nil && w.err == nil {
		w.err = err
	}
}

// open opens a body with its codings undone. A flow without one has an empty one.
func open(f *flowpb.Whole, side flowpb.Side, codings []string) (io.ReadCloser, error) {
	var r io.Reader = bytes.NewReader(nil)
	if f.Body != nil {
		stored, err := f.Body(side)
		if err != nil {
			return nil, err
		}
		if stored != nil {
			r = stored
		}
	}
	out, err := coding.NewReader(r, codings)
	if err != nil {
		return nil, fmt.Errorf("decode body: %w", err)
	}
	return out, nil
}

// query writes the parameters of the path, decoded.
func (w *Writer) query(path string) {
	_, query, _ := strings.Cut(path, "?")
	w.pairs(query)
}

// pairs writes name=value&… as an array of objects.
func (w *Writer) pairs(query string) {
	w.print("[")
	n := 0
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, val, _ := strings.Cut(pair, "=")
		if n++; n > 1 {
			w.print(",")
		}
		w.print(`{"name":`)
		w.string(unescape(name))
		w.member("value", unescape(val))
		w.print("}")
	}
	w.print("]")
}

func unescape(s string) string {
	if out, err := url.QueryUnescape(s); err == nil {
		return out
	}
	return s
}

func (w *Writer) cookies(headers []*flowpb.Field) {
	w.print("[")
	n := 0
	for _, line := range flowpb.Get(headers, "cookie") {
		for pair := range strings.SplitSeq(string(line), ";") {
			name, val, ok := strings.Cut(strings.TrimSpace(pair), "=")
			if !ok {
				continue
			}
			if n++; n > 1 {
				w.print(",")
			}
			w.cookie(name, val)
			w.print("}")
		}
	}
	w.print("]")
}

// cookie begins an object, which the caller ends.
func (w *Writer) cookie(name, val string) {
	w.print(`{"name":`)
	w.string(name)
	w.member("value", val)
}

// setCookies writes the cookies that a response sets (RFC 6265, section 4.1).
func (w *Writer) setCookies(headers []*flowpb.Field) {
	w.print("[")
	for i, line := range flowpb.Get(headers, "set-cookie") {
		w.print([]string{"", ","}[min(i, 1)])
		pair, attributes, _ := strings.Cut(string(line), ";")
		name, val, _ := strings.Cut(strings.TrimSpace(pair), "=")
		w.cookie(name, val)
		for attribute := range strings.SplitSeq(attributes, ";") {
			key, val, _ := strings.Cut(strings.TrimSpace(attribute), "=")
			switch strings.ToLower(key) {
			case "path", "domain":
				w.member(strings.ToLower(key), val)
			case "samesite":
				w.member("sameSite", val)
			case "httponly":
				w.print(`,"httpOnly":true`)
			case "secure":
				w.print(`,"secure":true`)
			}
		}
		w.print("}")
	}
	w.print("]")
}
