package resend

import (
	"errors"
	"strings"
)

// curl makes the command for one request, quoted for a POSIX shell. What curl
// does by itself is left out, what it would add or tidy up is switched off.
type curl struct {
	*Request
	words []string
}

// Curl is a command of curl.
func Curl(r *Request) (string, error) {
	own := *r
	c := curl{Request: &own}
	return c.command()
}

func (c *curl) add(words ...string) { c.words = append(c.words, words...) }

// command returns the command, or why there is none.
func (c *curl) command() (string, error) {
	q := c.Head
	method, path := string(q.GetMethod()), string(q.GetPath())
	switch {
	case !c.addressed():
		return "", errNoAddress
	case len(path) > MaxBody || strings.ContainsRune(method+path+c.Route+string(q.GetAuthority()), 0):
		return "", errors.New("its request line does not fit on a command line")
	}
	if c.Body == nil && c.sendsEmptyBody() {
		c.Body = []byte{}
	}
	c.add("curl")
	url := c.address(path)
	if c.isVersion("HTTP/1.0") {
		c.add("--http1.0")
	}
	if err := c.headers(); err != nil {
		return "", err
	}
	c.method(method)
	c.add(shellQuote(url))
	in := ""
	switch {
	case c.Body == nil:
	case printable(string(c.Body)):
		c.add("--data-raw", shellQuote(string(c.Body)))
	default: // what no argument can hold
		in = "printf '" + printfFormat(string(c.Body)) + "' | "
		c.add("--data-binary", "@-")
	}
	return in + strings.Join(c.words, " "), nil
}

// address adds what keeps curl from changing the request target, and returns the
// URL. A target that no URL can carry is given apart from it.
func (c *curl) address(path string) string {
	odd := func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' }
	if !strings.HasPrefix(path, "/") || strings.IndexFunc(path, odd) >= 0 {
		c.add("--request-target", shellQuote(path))
		return c.base() + "/"
	}
	if strings.ContainsAny(path, "[]{}") {
		c.add("-g")
	}
	if hasDots(path) {
		c.add("--path-as-is")
	}
	return c.base() + path
}

// hasDots reports whether a path has a segment "." or "..", percent-encoded or not.
func hasDots(path string) bool {
	path, _, _ = strings.Cut(path, "?")
	path = strings.ReplaceAll(strings.ToLower(path), "%2e", ".")
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// headers adds the fields in their order and takes away those that curl would add.
func (c *curl) headers() error {
	for _, f := range c.Head.GetHeaders() {
		name, value := string(f.GetName()), string(f.GetValue())
		switch {
		case c.implied(strings.ToLower(name), value):
		case !isToken(name) || strings.ContainsRune(value, 0) || len(value) > MaxBody:
			return cannotSend("curl", name) // it takes a leading '@' for a file to read
		case value == "":
			c.add("-H", shellQuote(name+";")) // curl's form of an empty field
		case strings.EqualFold(name, "accept-encoding"):
			c.add("--compressed", "-H", shellQuote(name+": "+value)) // so that the answer is readable
		default:
			c.add("-H", shellQuote(name+": "+value))
		}
	}
	if authority := string(c.Head.GetAuthority()); !c.has("host") {
		switch {
		case c.isVersion("HTTP/1"):
			c.add("-H", "Host:")
		case authority != "" && authority != c.Route:
			c.add("-H", shellQuote("Host: "+authority))
		}
	}
	for _, name := range []string{"User-Agent", "Accept", "Content-Type"} {
		if !c.has(name) && (name != "Content-Type" || c.Body != nil) {
			c.add("-H", name+":")
		}
	}
	return nil
}

// implied reports whether a field needs no -H: curl makes it by itself, or it was
// meant for the proxy.
func (c *curl) implied(name, value string) bool {
	switch name {
	case "host":
		return value == c.Route
	case "content-length":
		return c.Body != nil
	case "transfer-encoding":
		return !strings.EqualFold(value, "chunked") || c.isVersion("HTTP/1.0") || c.Body == nil
	case "proxy-connection", "proxy-authorization":
		return true
	default:
		return strings.HasPrefix(name, ":")
	}
}

// method adds what makes curl send this method with this body.
func (c *curl) method(method string) {
	implied := "GET"
	if c.Body != nil {
		implied = "POST"
	}
	switch {
	case method == "HEAD" && c.Body == nil:
		c.add("--head")
	case method != implied:
		c.add("-X", shellQuote(method))
	}
}
