package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	flowpb "weir/proto"
)

// exportHTTPie writes a command of HTTPie that sends the request again.
func exportHTTPie(ctx context.Context, s reading, id uint64, w io.Writer) (bool, error) {
	return exportCommand(ctx, s, id, w, func(q *flowpb.Request, to *flowpb.Summary, body []byte) (string, error) {
		return httpieCommand(q, to.URL(), body)
	})
}

// httpieCommand makes the command for one request, quoted for a POSIX shell. HTTPie
// would read a body from standard input where that is no terminal, and add fields of its
// own; both are switched off.
func httpieCommand(q *flowpb.Request, url string, body []byte) (string, error) {
	method := string(q.GetMethod())
	switch {
	case method == "" || !strings.Contains(url, "://"):
		return "", errors.New("its request names no method or URL that HTTPie has")
	case strings.Trim(method, tokenChars) != "" || strings.ContainsRune(url, 0) || len(url) > maxCurlWord:
		return "", errors.New("its request line does not fit on a command line")
	}
	words := []string{"http"}
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
		case strings.Trim(name, tokenChars) != "" || name == "" || strings.ContainsAny(value, "\x00\n") || len(value) > maxCurlWord:
			return nil, fmt.Errorf("HTTPie cannot send its header field %s", strconv.Quote(name[:min(len(name), 40)]))
		case value == "":
			words = append(words, shellQuote(name+";"))
		default:
			words = append(words, shellQuote(name+":"+value))
		}
	}
	for _, name := range []string{"Accept", "Accept-Encoding", "User-Agent", "Content-Type"} {
		if len(flowpb.Get(q.GetHeaders(), name)) == 0 && (name != "Content-Type" || hasBody) {
			words = append(words, name+":")
		}
	}
	return words, nil
}
