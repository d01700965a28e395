package resend

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// errTarget is why a request with such a target has no program.
func errTarget(tool string) error { return errors.New(tool + " would write its target differently") }

// errTwice is why a request that sends a field twice has no program.
func errTwice(tool, name string) error {
	return fmt.Errorf("%s has no way to send its field %s twice", tool, name)
}

// errConnect is why a CONNECT has no program.
var errConnect = errors.New("it asks a proxy for a connection, which is no request to send again")

// check refuses what no library sends.
func (r *Request) check() error {
	switch method := string(r.Head.GetMethod()); {
	case !r.addressed() || strings.ContainsAny(r.Route, "\x00\r\n /?#\\\"'"):
		return errNoAddress
	case method == "CONNECT":
		return errConnect
	case !isToken(method):
		return errors.New("its method is none that a library sends")
	}
	return nil
}

// Python is a program in Python, with the requests library.
func Python(r *Request) (string, error) {
	if err := r.check(); err != nil {
		return "", err
	}
	fields, host, err := r.fields("requests")
	if err != nil {
		return "", err
	}
	if !settled(string(r.Head.GetPath())) {
		return "", errTarget("requests")
	}
	var b strings.Builder
	b.WriteString("import requests\n\nsession = requests.Session()\nsession.trust_env = False  # no proxy in between\n")
	fmt.Fprintf(&b, "request = requests.Request(%s, %s).prepare()\n", quoteBytes(string(r.Head.GetMethod())), quoteBytes(r.base()+string(r.Head.GetPath())))
	b.WriteString("request.headers = requests.structures.CaseInsensitiveDict({\n")
	seen := map[string]bool{}
	line := func(name, value string) { fmt.Fprintf(&b, "    %s: %s,\n", quoteBytes(name), value) }
	if host != "" && host != r.Route {
		line("Host", quoteBytes(host))
	}
	for _, f := range fields {
		key := strings.ToLower(f.name)
		if seen[key] {
			return "", errTwice("requests", f.name)
		}
		if strings.TrimLeft(f.value, " \t") != f.value {
			return "", cannotSend("requests", f.name)
		}
		seen[key] = true
		line(f.name, quoteBytes(f.value))
	}
	for _, name := range []string{"User-Agent", "Accept-Encoding"} {
		if !seen[strings.ToLower(name)] {
			line(name, `"@@@SKIP_HEADER@@@"`) // urllib3 would add its own
		}
	}
	switch {
	case r.chunked():
		line("Transfer-Encoding", `"chunked"`)
	case r.Body != nil:
		line("Content-Length", quoteBytes(strconv.Itoa(len(r.Body))))
	}
	b.WriteString("})\n")
	if r.Body != nil {
		fmt.Fprintf(&b, "request.body = b%s\n", quoteBytes(string(r.Body)))
	}
	b.WriteString("response = session.send(request, allow_redirects=False)\nprint(response.status_code, response.reason)\nprint(response.text)\n")
	return b.String(), nil
}
