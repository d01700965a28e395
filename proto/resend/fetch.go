package resend

import (
	"errors"
	"fmt"
	"strings"
)

// forbidden are the fields that fetch refuses or decides about
// (fetch.spec.whatwg.org, forbidden request-header).
const forbidden = " connection keep-alive expect upgrade te trailer via date dnt cookie2 " +
	"accept-charset access-control-request-headers access-control-request-method access-control-request-private-network "

// Fetch is a statement of JavaScript that sends a request by fetch, in a module. Names
// go out in lower case, and fetch adds fields for what it accepts.
func Fetch(r *Request) (string, error) {
	const tool = "fetch"
	if err := r.check(); err != nil {
		return "", err
	}
	fields, host, err := r.fields(tool)
	if err != nil {
		return "", err
	}
	method, target := string(r.Head.GetMethod()), string(r.Head.GetPath())
	switch {
	case !settled(target):
		return "", errTarget(tool)
	case host != "" && host != r.Route:
		return "", errors.New("fetch has no way to ask a server for another host")
	case method == "TRACE" || method == "TRACK" || len(r.Body) > 0 && (method == "GET" || method == "HEAD"):
		return "", errors.New("fetch refuses its method, or a body with it")
	case strings.ToUpper(method) != method && strings.Contains(" DELETE GET HEAD OPTIONS POST PUT ", " "+strings.ToUpper(method)+" "):
		return "", errors.New("fetch would write its method in capitals")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "await fetch(%s, {\n  method: %s,\n  redirect: \"manual\",\n  headers: {\n", quoteBytes(r.base()+target), quoteBytes(method))
	seen := map[string]bool{}
	for _, f := range fields {
		key := strings.ToLower(f.name)
		switch {
		case key == "connection" && strings.EqualFold(f.value, "keep-alive"):
			continue // as fetch does
		case seen[key]:
			return "", errTwice(tool, f.name)
		case strings.Contains(forbidden, " "+key+" ") || strings.HasPrefix(key, "proxy-") || control(f.value) ||
			strings.Trim(f.value, " \t") != f.value:
			return "", cannotSend(tool, f.name)
		}
		seen[key] = true
		fmt.Fprintf(&b, "    %s: %s,\n", quoteBytes(f.name), quoteBytes(f.value))
	}
	b.WriteString("  },\n")
	if len(r.Body) > 0 {
		fmt.Fprintf(&b, "  body: Uint8Array.from(%s, (c) => c.charCodeAt(0)),\n", quoteBytes(string(r.Body)))
	}
	b.WriteString("}).then(async (response) => console.log(response.status, await response.text()));\n")
	return b.String(), nil
}
