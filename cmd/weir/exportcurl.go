package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	flowpb "weir/proto"
)

// maxCurlWord bounds the body, and any field, that is put on a command line; Linux
// takes 128 KB for one argument.
const maxCurlWord = 100 << 10

// exportCurl writes a shell command that sends the request again.
func exportCurl(ctx context.Context, s reading, id uint64, w io.Writer) (bool, error) {
	return exportCommand(ctx, s, id, w, func(q *flowpb.Request, to *flowpb.Summary, body []byte) (string, error) {
		c := curl{request: q, host: to.HostPort(), body: body}
		return c.command()
	})
}

// exportCommand writes the command that line makes of a request, of where it went
// and of its body. The address is the route the request took; that it was meant for
// another host is the Host field's to say.
func exportCommand(ctx context.Context, s reading, id uint64, w io.Writer,
	line func(q *flowpb.Request, to *flowpb.Summary, body []byte) (string, error),
) (bool, error) {
	f, err := s.Flow(ctx, id)
	if err != nil {
		return false, err
	}
	q := f.GetHttp().GetRequest()
	if q == nil {
		return false, nil
	}
	body, err := curlBody(ctx, s, id, q.GetBody())
	if err != nil {
		return false, err
	}
	summary := flowpb.Summarize(f)
	summary.Authority = ""
	text, err := line(q, &summary, body)
	if err != nil {
		return false, &leftOutError{fmt.Errorf("flow %d: %w", id, err)}
	}
	_, err = fmt.Fprintln(w, text)
	return err == nil, err
}

// curlBody is the body as it was sent, content coding kept; nil: there is none.
func curlBody(ctx context.Context, s reading, id uint64, b *flowpb.Body) ([]byte, error) {
	if b == nil {
		return nil, nil
	}
	leftOut := func(format string, args ...any) error {
		return &leftOutError{fmt.Errorf("flow %d: "+format, append([]any{id}, args...)...)}
	}
	if b.GetState() == flowpb.BodyDropped {
		return nil, leftOut("its body was passed on and not kept")
	}
	stored, err := s.Body(ctx, id, flowpb.SideRequest)
	switch {
	case err != nil:
		return nil, err
	case stored.Size() > maxCurlWord:
		return nil, hinted(leftOut("its body is larger than a command line"), fmt.Sprintf(
			"weir show SESSION %d --body request --as wire > FILE, then curl --data-binary @FILE", id))
	case stored.Size() < int64(b.GetSize()):
		return nil, leftOut("only %d of %d bytes of its body are in the session", stored.Size(), b.GetSize())
	}
	body, err := io.ReadAll(stored.NewReader(ctx))
	if err != nil {
		return nil, fmt.Errorf("export flow %d as curl: %w", id, err)
	}
	return body, nil
}

// curl makes the command for one request, quoted for a POSIX shell. What curl
// does by itself is left out, what it would add or tidy up is switched off.
type curl struct {
	request *flowpb.Request
	host    string // the route: "host" or "host:port"
	body    []byte // nil: none
	words   []string
}

func (c *curl) add(words ...string) { c.words = append(c.words, words...) }

// command returns the command, or why there is none.
func (c *curl) command() (string, error) {
	q := c.request
	scheme, method, path := string(q.GetScheme()), string(q.GetMethod()), string(q.GetPath())
	switch {
	case scheme != "http" && scheme != "https" || c.host == "" || method == "":
		return "", errors.New("its request names no method, host or scheme that curl has")
	case len(path) > maxCurlWord || strings.ContainsRune(method+path+c.host+string(q.GetAuthority()), 0):
		return "", errors.New("its request line does not fit on a command line")
	}
	if c.body == nil && c.sendsEmptyBody() {
		c.body = []byte{}
	}
	c.add("curl")
	url := c.address(scheme, path)
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
	case c.body == nil:
	case printable(string(c.body)):
		c.add("--data-raw", shellQuote(string(c.body)))
	default: // what no argument can hold
		in = "printf '" + printfFormat(string(c.body)) + "' | "
		c.add("--data-binary", "@-")
	}
	return in + strings.Join(c.words, " "), nil
}

func (c *curl) isVersion(prefix string) bool {
	return bytes.HasPrefix(c.request.GetVersion(), []byte(prefix))
}

// sendsEmptyBody reports whether the head announces a body although there is none.
func (c *curl) sendsEmptyBody() bool {
	return c.has("content-length") && string(c.request.GetMethod()) != "HEAD"
}

func (c *curl) has(name string) bool { return len(flowpb.Get(c.request.GetHeaders(), name)) > 0 }

// address adds what keeps curl from changing the request target, and returns the
// URL. A target that no URL can carry is given apart from it.
func (c *curl) address(scheme, path string) string {
	base := scheme + "://" + c.host
	odd := func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' }
	if !strings.HasPrefix(path, "/") || strings.IndexFunc(path, odd) >= 0 {
		c.add("--request-target", shellQuote(path))
		return base + "/"
	}
	if strings.ContainsAny(path, "[]{}") {
		c.add("-g")
	}
	if hasDots(path) {
		c.add("--path-as-is")
	}
	return base + path
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
	for _, f := range c.request.GetHeaders() {
		name, value := string(f.GetName()), string(f.GetValue())
		switch {
		case c.implied(strings.ToLower(name), value):
		case strings.Trim(name, tokenChars) != "" || name == "" || strings.ContainsRune(value, 0) || len(value) > maxCurlWord:
			return fmt.Errorf("curl cannot send its header field %s", strconv.Quote(name[:min(len(name), 40)]))
		case value == "":
			c.add("-H", shellQuote(name+";")) // curl's form of an empty field
		case strings.EqualFold(name, "accept-encoding"):
			c.add("--compressed", "-H", shellQuote(name+": "+value)) // so that the answer is readable
		default:
			c.add("-H", shellQuote(name+": "+value))
		}
	}
	if authority := string(c.request.GetAuthority()); !c.has("host") {
		switch {
		case c.isVersion("HTTP/1"):
			c.add("-H", "Host:")
		case authority != "" && authority != c.host:
			c.add("-H", shellQuote("Host: "+authority))
		}
	}
	for _, name := range []string{"User-Agent", "Accept", "Content-Type"} {
		if !c.has(name) && (name != "Content-Type" || c.body != nil) {
			c.add("-H", name+":")
		}
	}
	return nil
}

// tokenChars are the characters of a field name (RFC 9110 section 5.6.2). Curl
// would take others for something else: a leading '@' for a file to read.
const tokenChars = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// implied reports whether a field needs no -H: curl makes it by itself, or it was
// meant for the proxy.
func (c *curl) implied(name, value string) bool {
	switch name {
	case "host":
		return value == c.host
	case "content-length":
		return c.body != nil
	case "transfer-encoding":
		return !strings.EqualFold(value, "chunked") || c.isVersion("HTTP/1.0") || c.body == nil
	case "proxy-connection", "proxy-authorization":
		return true
	default:
		return strings.HasPrefix(name, ":")
	}
}

// method adds what makes curl send this method with this body.
func (c *curl) method(method string) {
	implied := "GET"
	if c.body != nil {
		implied = "POST"
	}
	switch {
	case method == "HEAD" && c.body == nil:
		c.add("--head")
	case method != implied:
		c.add("-X", shellQuote(method))
	}
}
