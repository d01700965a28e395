package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
)

func TestGet(t *testing.T) {
	tests := []struct {
		name, answer string
		want         string
		err          string
	}{
		{"length", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nX: y\r\n\r\nhello", "hello", ""},
		{"no body", "HTTP/1.1 200 OK\r\n\r\n", "", ""},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "hello", ""},
		{"cut body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "hel", "read body"},
		{"cut chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "hel", "read body"},
		{"bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "", "read chunk"},
		{"an error page", "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "", "status 502"},
		{"no answer", "", "", "read status"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			near, far := net.Pipe()
			defer near.Close()
			go func() {
				defer far.Close()
				if _, err := bufio.NewReader(far).ReadString('\n'); err == nil {
					io.WriteString(far, tt.answer)
				}
			}()
			var body bytes.Buffer
			err := (&tunnel{conn: near, r: bufio.NewReader(near), buf: make([]byte, 4)}).get([]byte("GET / HTTP/1.1\n"), &body)
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got error %v, want %q", err, tt.err)
			}
			if got := body.String(); got != tt.want {
				t.Errorf("body: got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSmallBody(t *testing.T) {
	if got := len(smallBody()); got != smallSize {
		t.Errorf("got %d bytes, want %d", got, smallSize)
	}
}
