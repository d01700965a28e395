package har

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"strings"
	"unicode/utf8"

	flowpb "weir/proto"
	"weir/proto/coding"
)

// fields reads headers: an array of objects, an array of pairs, or one object.
func fields(v value) []*flowpb.Field {
	var out []*flowpb.Field
	for name, v := range v.members() {
		out = append(out, &flowpb.Field{Name: []byte(name), Value: v.bytes()})
	}
	for e := range v.elements() {
		f := &flowpb.Field{}
		for key, v := range e.members() {
			switch key {
			case "name":
				f.Name = v.bytes()
			case "value":
				f.Value = v.bytes()
			case "_base64": // ours, for what no JSON string can say
				f.Value = unbase64(v.bytes())
			}
		}
		n := 0
		for part := range e.elements() {
			if n++; n == 1 {
				f.Name = part.bytes()
			} else if n == 2 {
				f.Value = part.bytes()
			}
		}
		if len(f.GetName()) > 0 || len(f.GetValue()) > 0 {
			out = append(out, f)
		}
	}
	return out
}

// postData reads the body of a request. Where there is no text, the parameters of a
// form are put together again; files in it are lost, as HAR does not carry them.
func postData(v value, headers []*flowpb.Field) []byte {
	var text, params value
	mime, encoding := joined(headers), ""
	for key, v := range v.members() {
		switch key {
		case "text":
			text = v
		case "params":
			params = v
		case "encoding", "_encoding":
			encoding = v.text()
		case "mimeType":
			if mime == "" {
				mime = v.text()
			}
		}
	}
	if text.kind() == '"' {
		if strings.EqualFold(encoding, "base64") {
			return unbase64(text.bytes())
		}
		return coding.Bytes(text.bytes(), mime)
	}
	var form []byte
	for p := range params.elements() {
		var name, val string
		for key, v := range p.members() {
			switch key {
			case "name":
				name = v.text()
			case "value":
				val = v.text()
			}
		}
		if len(form) > 0 {
			form = append(form, '&')
		}
		form = append(form, formEscape(name)+"="+formEscape(val)...)
	}
	return form
}

// formEscape escapes what is not escaped yet: programs write either.
func formEscape(s string) string {
	if _, err := url.QueryUnescape(s); err == nil && !strings.ContainsFunc(s, unescaped) {
		return s
	}
	return url.QueryEscape(s)
}

// unescaped reports whether r has no place in an escaped form.
func unescaped(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("-._~*%", r)
}

func joined(headers []*flowpb.Field) string {
	return string(bytes.Join(flowpb.Get(headers, "content-type"), []byte(", ")))
}

// content is response.content.
type content struct {
	text      value
	present   bool // there is a text, be it empty
	base64    bool
	undecoded bool // ours: the bytes are as they were received
	mime      string
	size      uint64
	rest      map[string]value
}

func readContent(v value) content {
	c := content{rest: map[string]value{}}
	for key, v := range v.members() {
		switch key {
		case "text":
			c.text, c.present = v, v.kind() == '"'
		case "encoding":
			c.base64 = strings.EqualFold(v.text(), "base64")
		case "_undecoded":
			c.undecoded = v.kind() == 't'
		case "mimeType":
			c.mime = v.text()
		case "size":
			c.size, _ = v.size()
		case "compression": // follows from the sizes
		default:
			c.rest[key] = v
		}
	}
	if c.size == 0 && c.mime != "" && c.mime != "x-unknown" {
		c.present = true // an empty body is written without its text
	}
	return c
}

func (c *content) bytes(headers []*flowpb.Field) []byte {
	if c.base64 {
		return unbase64(c.text.bytes())
	}
	mime := joined(headers)
	if mime == "" {
		mime = c.mime
	}
	return coding.Bytes(c.text.bytes(), mime)
}

// unbase64 reads base64 of any flavour, in place, up to where it stops to be that.
func unbase64(p []byte) []byte {
	n := 0
	for _, c := range p {
		switch c {
		case ' ', '\t', '\r', '\n', '=':
			continue
		case '-':
			c = '+'
		case '_':
			c = '/'
		}
		p[n] = c
		n++
	}
	n, _ = base64.RawStdEncoding.Decode(p, p[:n])
	return p[:n]
}

// asText returns p as a JSON string can say it, if p can be had back from that.
func asText(p []byte, contentType string) (string, bool) {
	if bytes.IndexByte(p, 0) >= 0 {
		return "", false // no text, though it might be valid
	}
	text, _ := coding.Text(p, contentType)
	if !utf8.Valid(text) || !bytes.Equal(coding.Bytes(text, contentType), p) {
		return "", false
	}
	return string(text), true
}
