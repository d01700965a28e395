package har

import (
	"bytes"
	"encoding/base64"
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
// form are put together again.
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
	if p := text.bytes(); text.kind() == '"' && (len(p) > 0 || len(params) == 0) {
		if strings.EqualFold(encoding, "base64") {
			return unbase64(p)
		}
		return coding.Bytes(p, mime)
	}
	return appendForm(nil, params, mime)
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
	if p := c.text.bytes(); c.base64 && isBase64(p) {
		return unbase64(p)
	}
	mime := joined(headers)
	if mime == "" {
		mime = c.mime
	}
	return coding.Bytes(c.text.bytes(), mime)
}

// isBase64 reports whether p is that, as some texts are not that are said to be.
func isBase64(p []byte) bool {
	for _, c := range p {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && bytes.IndexByte([]byte("+/-_= \t\r\n"), c) < 0 {
			return false
		}
	}
	return true
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
