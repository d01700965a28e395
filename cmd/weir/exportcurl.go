package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	flowpb "weir/proto"
	"weir/proto/coding"
	"weir/store"
)

// maxCurlBody bounds the body that is put on a command line; Linux takes 128 KB
// for one argument.
const maxCurlBody = 100 << 10

// exportCurl writes a curl command that sends the request again.
func exportCurl(ctx context.Context, s *store.Session, id uint64, w io.Writer) (bool, error) {
	f, err := s.Flow(ctx, id)
	if err != nil {
		return false, err
	}
	q := f.GetHttp().GetRequest()
	if q == nil {
		return false, nil
	}
	var body []byte
	if b := q.GetBody(); b.GetSize() > 0 && b.GetState() != flowpb.BodyDropped {
		if body, err = curlBody(ctx, s, f); err != nil {
			return false, fmt.Errorf("export flow %d as curl: %w", id, err)
		}
	}
	summary := flowpb.Summarize(f)
	_, err = fmt.Fprintln(w, curlCommand(q, summary.URL(), body))
	return err == nil, err
}

func curlBody(ctx context.Context, s *store.Session, f *flowpb.Flow) ([]byte, error) {
	stored, err := s.Body(ctx, f.GetId(), flowpb.SideRequest)
	if err != nil {
		return nil, err
	}
	encodings := coding.Parse(flowpb.Get(f.GetHttp().GetRequest().GetHeaders(), "content-encoding")...)
	decoded, err := coding.NewReader(stored.NewReader(ctx), encodings)
	if err != nil {
		return nil, err
	}
	defer decoded.Close()
	p, err := io.ReadAll(io.LimitReader(decoded, maxCurlBody+1))
	switch {
	case err != nil:
		return nil, err
	case len(p) > maxCurlBody:
		return nil, hinted(errors.New("its body is larger than a command line"), "weir show SESSION ID --body request > FILE, then curl --data-binary @FILE")
	case bytes.IndexByte(p, 0) >= 0 || !utf8.Valid(p):
		return nil, hinted(errors.New("its body is not text, which a command line cannot carry"), "weir show SESSION ID --body request > FILE, then curl --data-binary @FILE")
	}
	return p, nil
}

// curlCommand is the command for a request, quoted for a POSIX shell. What curl
// adds by itself is left out: Content-Length, a Host that the URL says already;
// Accept-Encoding becomes --compressed, so that the answer is readable.
func curlCommand(q *flowpb.Request, url string, body []byte) string {
	words := []string{"curl"}
	for _, f := range q.GetHeaders() {
		name, value := string(f.GetName()), string(f.GetValue())
		switch strings.ToLower(name) {
		case "accept-encoding":
			words = append(words, "--compressed")
			continue
		case "content-length", "content-encoding", "transfer-encoding", "proxy-connection", "proxy-authorization":
			continue
		case "host":
			if strings.Contains(url, "://"+value+"/") || strings.HasSuffix(url, "://"+value) {
				continue
			}
		}
		if value == "" {
			words = append(words, "-H", shellQuote(name+";")) // curl's form of an empty field
			continue
		}
		words = append(words, "-H", shellQuote(name+": "+value))
	}
	if method := string(q.GetMethod()); method == "HEAD" {
		words = append(words, "--head")
	} else if method != "GET" && (method != "POST" || body == nil) || method == "GET" && body != nil {
		words = append(words, "-X", shellQuote(method))
	}
	words = append(words, shellQuote(url))
	if body != nil {
		words = append(words, "--data-raw", shellQuote(string(body)))
	}
	return strings.Join(words, " ")
}

// shellQuote makes s one word of a POSIX shell. Control characters go through
// printf, so that nothing pasted into a terminal acts on it.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@%+,", r)
	}
	control := func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r >= 0x80 && r < 0xa0 }
	switch {
	case s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0:
		return s
	case strings.IndexFunc(s, control) < 0 && utf8.ValidString(s):
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\\' || c == '%' || c == '\'' || c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return `"$(printf '` + b.String() + `')"`
}
