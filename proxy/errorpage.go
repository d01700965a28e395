package proxy

import (
	"bytes"
	"fmt"
	"html"
	"net/http"

	"weir/proxy/record"
)

// errorPage is the whole response that tells a client why there is no other:
// HTML for whoever accepts it, plain text else, and the connection ends with
// it. Every byte that came from outside is escaped or made printable.
func errorPage(f *flowError, accept []byte, head bool) []byte {
	status, contentType, body := pageFor(f, accept)
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	fmt.Fprintf(&b, "Server: weir\r\nContent-Type: %s\r\nContent-Length: %d\r\n", contentType, len(body))
	b.WriteString(f.header + "Cache-Control: no-store\r\nConnection: close\r\n\r\n")
	if !head {
		b.WriteString(body)
	}
	return b.Bytes()
}

// pageFor returns what the page for f consists of.
func pageFor(f *flowError, accept []byte) (status int, contentType, body string) {
	status = f.status
	if status == 0 {
		status = http.StatusBadGateway
	}
	if bytes.Contains(accept, []byte("text/html")) {
		return status, "text/html; charset=utf-8", htmlPage(status, f)
	}
	return status, "text/plain; charset=utf-8", textPage(f)
}

func textPage(f *flowError) string {
	s := "weir: " + record.Printable(f.message) + "\n"
	if f.hint != "" {
		s += "hint: " + record.Printable(f.hint) + "\n"
	}
	return s
}

func htmlPage(status int, f *flowError) string {
	title := fmt.Sprintf("%d %s", status, http.StatusText(status))
	s := "<!doctype html>\n<title>weir: " + title + "</title>\n<h1>" + title + "</h1>\n<p>" +
		html.EscapeString(record.Printable(f.message)) + "</p>\n"
	if f.hint != "" {
		s += "<p>" + html.EscapeString(record.Printable(f.hint)) + "</p>\n"
	}
	return s + "<hr><p>weir</p>\n"
}
