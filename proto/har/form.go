package har

import (
	"mime"
	"net/url"
	"strings"
)

// param is one of postData.params.
type param struct{ name, value, file, contentType string }

func paramOf(v value) (p param) {
	for key, v := range v.members() {
		switch key {
		case "name":
			p.name = v.text()
		case "value":
			p.value = v.text()
		case "fileName":
			p.file = v.text()
		case "contentType":
			p.contentType = v.text()
		}
	}
	return p
}

// appendForm puts a form together from its parameters, in the way that its type says:
// as the pairs of a query, or in parts with a boundary (RFC 7578).
func appendForm(dst []byte, params value, contentType string) []byte {
	kind, attributes, err := mime.ParseMediaType(contentType)
	boundary := attributes["boundary"]
	if err != nil || kind != "multipart/form-data" || boundary == "" {
		return appendPairs(dst, params)
	}
	for v := range params.elements() {
		p := paramOf(v)
		dst = append(dst, "--"+boundary+"\r\nContent-Disposition: form-data; name="+quoted(p.name)...)
		if p.file != "" {
			dst = append(dst, "; filename="+quoted(p.file)...)
		}
		if p.contentType != "" {
			dst = append(dst, "\r\nContent-Type: "+p.contentType...)
		}
		dst = append(dst, "\r\n\r\n"+p.value+"\r\n"...)
	}
	return append(dst, "--"+boundary+"--\r\n"...)
}

func appendPairs(dst []byte, params value) []byte {
	for v := range params.elements() {
		if len(dst) > 0 {
			dst = append(dst, '&')
		}
		p := paramOf(v)
		dst = append(dst, formEscape(p.name)+"="+formEscape(p.value)...)
	}
	return dst
}

// quoted is a name as browsers put it into a part's head.
func quoted(s string) string {
	return `"` + strings.NewReplacer("\r", "%0D", "\n", "%0A", `"`, "%22").Replace(s) + `"`
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
