package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// Headers reach the origin in the order, case and spacing in which the client
// sent them, duplicates included; and the answer reaches the client the same way.
// Raw sockets on both ends: no library gets to tidy anything.
func TestHeadersAsSent(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	const fields = "hOsT: origin.test\r\nX-Dup: 1\r\naccept:text/plain\r\nX-DUP:   2  \r\nx-dup: \r\nCookie: a=1; b=2\r\nZ-Bytes: \xff\xfe\r\nConnection: close\r\n"
	const answer = "HTTP/1.1 200 Very  Fine\r\nsErVer: odd\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nX-Empty:\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
	got := make(chan string, 1)
	go serveOnce(ln, answer, got)

	r := record(t)
	conn, err := net.Dial("tcp", r.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "GET http://%s/p?q=%%7e HTTP/1.1\r\n%s\r\n", ln.Addr(), fields); err != nil {
		t.Fatal(err)
	}
	reply, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	if string(reply) != answer {
		t.Errorf("client got\n%q\nwant\n%q", reply, answer)
	}
	if got, want := <-got, "GET /p?q=%7e HTTP/1.1\r\n"+fields+"\r\n"; got != want {
		t.Errorf("origin got\n%q\nwant\n%q", got, want)
	}
	f := complete(t, r.Session, 1)[0]
	request, response := show(t, r.Session, f.ID)
	var names []string
	for _, p := range append(request.Headers, response.Headers...) {
		names = append(names, p[0])
	}
	want := "hOsT X-Dup accept X-DUP x-dup Cookie Z-Bytes Connection sErVer Set-Cookie set-cookie X-Empty Content-Length Connection"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("stored names: %s\nwant: %s", got, want)
	}
	raw := weir(t, "export", r.Session, "--format", "raw")
	if !bytes.Contains(raw, []byte(fields)) || !bytes.HasSuffix(raw, []byte(answer)) {
		t.Errorf("weir export --format raw:\n%q", raw)
	}
	r.stop()
}

// serveOnce takes one connection, reads a head, and answers.
func serveOnce(ln net.Listener, answer string, got chan<- string) {
	conn, err := ln.Accept()
	if err != nil {
		got <- err.Error()
		return
	}
	defer conn.Close()
	var head strings.Builder
	for in := bufio.NewReader(conn); !strings.HasSuffix(head.String(), "\r\n\r\n"); {
		line, err := in.ReadString('\n')
		head.WriteString(line)
		if err != nil {
			break
		}
	}
	_, _ = io.WriteString(conn, answer)
	got <- head.String()
}
