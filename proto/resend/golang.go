package resend

import (
	"fmt"
	"strings"
)

// goHead and goTail are around the requests of a Go program.
const goHead = `package main

import (
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
)

func main() {
`

const goTail = `}

// send sends a request as it was captured and prints the answer. The names of fields
// stay as they are, since a Header that is made by hand is not changed.
func send(method, server, target, host string, fields http.Header, body string, length int64) {
	u, err := url.Parse(server)
	if err != nil {
		log.Fatal(err)
	}
	u.Opaque = target
	r := &http.Request{Method: method, URL: u, Host: host, Header: fields, ContentLength: length}
	if length != 0 {
		r.Body = io.NopCloser(strings.NewReader(body))
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(r)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	if err := answer.Write(os.Stdout); err != nil {
		log.Fatal(err)
	}
}
`

// Go is the statement of a Go program that sends a request, by net/http.
func Go(r *Request) (string, error) {
	const tool = "net/http"
	if err := r.check(); err != nil {
		return "", err
	}
	fields, host, err := r.fields(tool)
	if err != nil {
		return "", err
	}
	target := string(r.Head.GetPath())
	if target == "" || strings.HasPrefix(target, "//") || control(target) || strings.Contains(target, "\t") {
		return "", errTarget(tool)
	}
	if host == "" {
		host = r.Route
	}
	var names []string // in the order of their first field
	values := map[string][]string{}
	for _, f := range fields {
		canonical := f.name == "User-Agent"
		if control(f.value) || f.name == "Trailer" || canonical && (f.value == "" || values[f.name] != nil) {
			return "", cannotSend(tool, f.name)
		}
		if values[f.name] == nil {
			names = append(names, f.name)
		}
		values[f.name] = append(values[f.name], quoteGo(f.value))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\tsend(%s, %s, %s, %s, http.Header{\n", quoteGo(string(r.Head.GetMethod())), quoteGo(r.base()), quoteGo(target), quoteGo(host))
	for _, name := range names {
		fmt.Fprintf(&b, "\t\t%s: {%s},\n", quoteGo(name), strings.Join(values[name], ", "))
	}
	if values["User-Agent"] == nil {
		b.WriteString("\t\t\"User-Agent\": nil, // none of Go's own\n")
	}
	length := len(r.Body)
	if r.chunked() {
		length = -1
	}
	fmt.Fprintf(&b, "\t}, %s, %d)\n", quoteGo(string(r.Body)), length)
	return b.String(), nil
}
