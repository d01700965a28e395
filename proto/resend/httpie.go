package resend

import (
	"errors"
	"strings"
	"unicode/utf8"

	flowpb "weir/proto"
)

// HTTPie is a command of HTTPie, quoted for a POSIX shell. HTTPie
// would read a body from standard input where that is no terminal, and add fields of its
// own; both are switched off.
func HTTPie(r *Request) (string, error) {
	q, body := r.Head, r.Body
	method, url := string(q.GetMethod()), r.base()+string(q.GetPath())
	switch {
	case !r.addressed():
		return "", errNoAddress
	case !isToken(method) || strings.ContainsRune(url, 0) || len(url) > MaxBody:
		return "", errors.New("its request line does not fit on a command line")
	}
	words := []string{"http"}
	if !settled(string(q.GetPath())) {
		return "", errTarget("HTTPie")
	}
	in := ""
	switch {
	case body != nil && printable(string(body)):
		words = append(words, "--ignore-stdin", "--raw="+shellQuote(string(body)))
	case body != nil:
		in = "printf '" + printfFormat(string(body)) + "' | "
	default:
		words = append(words, "--ignore-stdin")
	}
	words = append(words, method, shellQuote(url))
	fields, err := httpieFields(q, url, body != nil)
	if err != nil {
		return "", err
	}
	return in + strings.Join(append(words, fields...), " "), nil
}

// httpieFields are the header fields as HTTPie's request items: "Name:value",
// "Name;" for an empty one, and "Name:" for one that HTTPie would add.
func httpieFields(q *flowpb.Request, url string, hasBody bool) (words []string, err error) {
	for _, f := range q.GetHeaders() {
		name, value := string(f.GetName()), string(f.GetValue())
		switch lower := strings.ToLower(name); {
		case strings.HasPrefix(name, ":"), lower == "content-length" && hasBody, lower == "transfer-encoding", lower == "connection",
			lower == "proxy-connection", lower == "proxy-authorization", lower == "host" && strings.Contains(url, "://"+value+"/"):
		case !isToken(name) || strings.ContainsAny(value, "\x00\r\n") || len(value) > MaxBody || escapes(value) || !utf8.ValidString(value):
			return nil, cannotSend("HTTPie", name)
		case value == "":
			words = append(words, shellQuote(name+";"))
		default:
			words = append(words, shellQuote(name+":"+item(value)))
		}
	}
	for _, name := range []string{"Accept", "Accept-Encoding", "User-Agent", "Content-Type"} {
		if len(flowpb.Get(q.GetHeaders(), name)) == 0 && (name != "Content-Type" || hasBody) {
			words = append(words, name+":")
		}
	}
	return words, nil
}

// separators are what HTTPie's request items are told apart by.
const separators = ":=@;"

// item is a field's value behind "Name:". In front of a separator it needs a backslash,
// since ":=" and ":@" mean something else.
func item(value string) string {
	if strings.IndexByte(separators, value[0]) >= 0 {
		return `\` + value
	}
	return value
}

// escapes reports whether HTTPie would take a backslash out of a value. There is no way to
// write that one.
func escapes(value string) bool {
	for i := range len(value) - 1 {
		if value[i] == '\\' && strings.IndexByte(separators, value[i+1]) >= 0 {
			return true
		}
	}
	return false
}
