package translate

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"weir/proxy/h1"
	"weir/proxy/h2"
)

// connectionFields describe the connection that they came on, and nothing else
// (RFC 9110 §7.6.1).
var connectionFields = []string{"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}

// toHTTP2 returns fields of HTTP/1 as HTTP/2 has them: in lower case, and without
// those of the connection. Lines that are no field, or that no field of HTTP/2 can
// carry, are left out, and so is a Content-Length; length stands in its place where it
// is not "". skip names more, in lower case.
func toHTTP2(out []h2.Field, fields []h1.Field, length string, skip ...string) []h2.Field {
	options := connectionOptions(fields)
	for i := range fields {
		name := strings.ToLower(string(fields[i].Name))
		value := string(fields[i].Value)
		switch {
		case slices.Contains(skip, name) || options[name] || !isName(name) || !isValue(value):
			continue
		case name == "te":
			if !hasToken(value, "trailers") {
				continue
			}
			value = "trailers"
		case name == "content-length":
			if value = length; length == "" || given(out, name) {
				continue
			}
		}
		out = append(out, h2.Field{Name: name, Value: value})
	}
	return out
}

// connectionOptions returns the names, in lower case, of the fields that belong
// to the connection: those that always do, and those that Connection names. TE
// is judged by its value.
func connectionOptions(fields []h1.Field) map[string]bool {
	options := make(map[string]bool, len(connectionFields))
	for _, name := range connectionFields {
		options[name] = true
	}
	for i := range fields {
		if !bytes.EqualFold(fields[i].Name, []byte("Connection")) {
			continue
		}
		for option := range strings.SplitSeq(string(fields[i].Value), ",") {
			options[strings.ToLower(strings.TrimSpace(option))] = true
		}
	}
	delete(options, "te")
	delete(options, "content-length") // or the length of the message would be lost
	return options
}

// length is what a message says of its length in HTTP/2, "" for nothing: the length that
// it is read with, which of several values or odd ones only its reader knows. A message
// without content may say how long it would have been (RFC 9110 section 8.6).
func length(head *h1.Head) string {
	switch head.Framing {
	case h1.FramingLength:
		return strconv.FormatInt(head.Length, 10)
	case h1.FramingNone:
		value, _ := head.Get("Content-Length")
		first, _, _ := strings.Cut(string(value), ",")
		if n, err := strconv.ParseUint(strings.TrimSpace(first), 10, 63); err == nil {
			return strconv.FormatUint(n, 10)
		}
	}
	return ""
}

// given reports whether a field of that name is there.
func given(fields []h2.Field, name string) bool {
	_, ok := valueOf(fields, name)
	return ok
}

// valueOf returns the value of the first field of that name, which is in lower case.
func valueOf(fields []h2.Field, name string) (string, bool) {
	for i := range fields {
		if fields[i].Name == name {
			return fields[i].Value, true
		}
	}
	return "", false
}

// hasToken reports whether the comma-separated list contains token, ignoring
// case and parameters.
func hasToken(list, token string) bool {
	for part := range strings.SplitSeq(list, ",") {
		word, _, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(word), token) {
			return true
		}
	}
	return false
}

// isName reports whether name is a token (RFC 9110 §5.6.2), as HTTP/2 wants it.
func isName(name string) bool {
	for i := range len(name) {
		b := name[i]
		switch {
		case b >= 'a' && b <= 'z', b >= '0' && b <= '9', strings.IndexByte("!#$%&'*+-.^_`|~", b) >= 0:
		default:
			return false
		}
	}
	return name != ""
}

// isValue reports whether value has nothing that ends a line (RFC 9113 §8.2.1).
func isValue(value string) bool { return !strings.ContainsAny(value, "\x00\r\n") }

// appendLine appends a field line of HTTP/1.
func appendLine(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}
