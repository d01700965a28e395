package proxy

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestErrorPage(t *testing.T) {
	hostile := &flowError{message: "<script>\x1b]0;x\x07\r\nSet-Cookie: a\xff\u202e", hint: `"&`}
	for _, tt := range []struct {
		name, accept, method string
		want, never          []string
	}{
		{"text", "*/*", "GET", []string{"weir: <script>", `\x1b]0;x\a\r\n`, "hint: \"&\n"}, []string{"\x1b", "\u202e", "\xff"}},
		{"html", "text/html,*/*", "GET", []string{"&lt;script&gt;", "&#34;&amp;", "502 Bad Gateway"}, []string{"<script>", "\x1b", "\u202e"}},
		{"head", "", "HEAD", nil, []string{"weir"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			page := errorPage(hostile, []byte(tt.accept), tt.method == "HEAD")
			req := &http.Request{Method: tt.method}
			res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(page)), req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || res.StatusCode != 502 || !res.Close || len(res.Cookies()) != 0 || res.ContentLength <= 0 {
				t.Errorf("got %v, %v", res, err)
			}
			for _, w := range tt.want {
				if !strings.Contains(string(body), w) {
					t.Errorf("got %q, want %q in it", body, w)
				}
			}
			for _, n := range tt.never {
				if strings.Contains(string(body), n) {
					t.Errorf("got %q, with %q in it", body, n)
				}
			}
		})
	}
}
