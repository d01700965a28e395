package resend

import (
	"bytes"
	"strings"
	"testing"

	flowpb "weir/proto"
)

// fields makes header fields of "Name: value" lines.
func fields(lines ...string) (out []*flowpb.Field) {
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		out = append(out, &flowpb.Field{Name: []byte(name), Value: []byte(value)})
	}
	return out
}

// usual is what most clients send, so that nothing of curl's has to be taken away.
func usual(more ...string) []*flowpb.Field {
	return fields(append([]string{"User-Agent: x", "Accept: */*", "Host: a.test"}, more...)...)
}

func TestCurlCommand(t *testing.T) {
	const quiet = " -H User-Agent: -H Accept:"
	const common = `curl -H 'User-Agent: x' -H 'Accept: */*'`
	for _, tt := range []struct {
		name    string
		method  string
		path    string
		headers []*flowpb.Field
		body    []byte
		want    string
	}{
		{"plain", "GET", "/?a&b", usual(), nil, common + ` 'http://a.test/?a&b'`},
		{"bare", "GET", "/", nil, nil, `curl` + quiet + ` http://a.test/`},
		{"quote", "GET", "/", usual("X: it's"), nil, common + ` -H 'X: it'\''s' http://a.test/`},
		{"compressed", "GET", "/", usual("accept-encoding: gzip"), nil, common + ` --compressed -H 'accept-encoding: gzip' http://a.test/`},
		{"other host", "GET", "/", fields("User-Agent: x", "Accept: */*", "Host: b.test"), nil, common + ` -H 'Host: b.test' http://a.test/`},
		{"post", "POST", "/", usual("Content-Type: t", "Content-Length: 3"), []byte("@x\n"), common + " -H 'Content-Type: t' http://a.test/ --data-raw '@x\n'"},
		{"post of no type", "POST", "/", usual(), []byte("x"), common + " -H Content-Type: http://a.test/ --data-raw x"},
		{"post without a body", "POST", "/", usual(), nil, common + ` -X POST http://a.test/`},
		{"empty post", "POST", "/", usual("Content-Type: t"), []byte{}, common + ` -H 'Content-Type: t' http://a.test/ --data-raw ''`},
		{"binary", "PUT", "/", usual("Content-Type: t"), []byte("-\x00'%\r\n"), `printf '\055\000\047\045\015\012' | ` + common + ` -H 'Content-Type: t' -X PUT http://a.test/ --data-binary @-`},
		{"get with a body", "GET", "/", usual("Content-Type: t"), []byte("x"), common + ` -H 'Content-Type: t' -X GET http://a.test/ --data-raw x`},
		{"empty field", "GET", "/", usual("X-Empty: "), nil, common + ` -H 'X-Empty;' http://a.test/`},
		{"escape", "GET", "/", usual("X: \x1b]0;'"), nil, common + ` -H "$(printf 'X: \033]0;\047')" http://a.test/`},
		{"head", "HEAD", "/", usual(), nil, common + ` --head http://a.test/`},
		{"glob", "GET", "/?a[]={}", usual(), nil, `curl -g` + strings.TrimPrefix(common, "curl") + ` 'http://a.test/?a[]={}'`},
		{"dots", "GET", "/a/%2E./b", usual(), nil, `curl --path-as-is` + strings.TrimPrefix(common, "curl") + ` http://a.test/a/%2E./b`},
		{"dots in the query", "GET", "/?/../", usual(), nil, common + ` 'http://a.test/?/../'`},
		{"asterisk", "OPTIONS", "*", usual(), nil, `curl --request-target '*'` + strings.TrimPrefix(common, "curl") + ` -X OPTIONS http://a.test/`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := &flowpb.Request{Method: []byte(tt.method), Scheme: []byte("http"), Path: []byte(tt.path), Headers: tt.headers}
			got, err := Curl(&Request{Head: q, Route: "a.test", Body: tt.body})
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	for _, c := range []byte(shellQuote("\x07\x9b\xff")) {
		if c < ' ' || c > '~' {
			t.Errorf("byte %#x is left in a quoted word", c)
		}
	}
}

// What no command line can carry, or curl would take for something else, is an error.
func TestCurlRefuses(t *testing.T) {
	for name, q := range map[string]*flowpb.Request{
		"a field that is a file to curl": {Path: []byte("/"), Headers: fields("@/etc/hostname: x")},
		"NUL in a value":                 {Path: []byte("/"), Headers: fields("X: a\x00b")},
		"NUL in the path":                {Path: []byte("/\x00")},
		"a long path":                    {Path: bytes.Repeat([]byte("/"), MaxBody+1)},
		"a long field":                   {Path: []byte("/"), Headers: fields("X: " + strings.Repeat("x", MaxBody+1))},
	} {
		q.Method, q.Scheme = []byte("GET"), []byte("http")
		if got, err := Curl(&Request{Head: q, Route: "a.test"}); err == nil {
			t.Errorf("%s: made the command %.80s", name, got)
		}
	}
}
