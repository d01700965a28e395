package translate

import (
	"crypto/sha1" // what RFC 6455 asks for, as a check that a server understood
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"weir/proxy/h1"
	"weir/proxy/h2"
)

// WebSocket begins by an Upgrade in HTTP/1.1 (RFC 6455 §4) and by an extended CONNECT
// in HTTP/2 (RFC 8441 §5), which knows no key: the frames that follow are the same.

// websocket is the name of the protocol in both versions.
const websocket = "websocket"

// acceptOf is what a server answers to a key (RFC 6455 §4.2.2).
func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// socketKey returns the key of a request that asks for WebSocket, "" for any other.
func socketKey(head *h1.Head) string {
	protocols, _ := head.Get("Upgrade")
	if !head.Upgrade || head.Minor == 0 || string(head.Method) != "GET" || head.Framing != h1.FramingNone || !hasToken(string(protocols), websocket) {
		return ""
	}
	key, _ := head.Get("Sec-WebSocket-Key")
	return string(key)
}

// socketHead appends the start line of a WebSocket's request and what agrees on the
// protocol.
func (w *Writer) socketHead(dst []byte, target, authority string) []byte {
	dst = append(dst, "GET "+target+" HTTP/1.1\r\n"...)
	if authority != "" {
		dst = appendLine(dst, "host", authority)
	}
	dst = appendLine(dst, "upgrade", websocket)
	dst = appendLine(dst, "connection", "upgrade")
	return appendLine(dst, "sec-websocket-key", w.Key)
}

// switched appends the head of a response that agrees to WebSocket.
func (w *Writer) switched(dst []byte, fields []h2.Field) []byte {
	w.framing = h1.FramingTunnel
	dst = append(dst, "HTTP/1.1 101 "...)
	if w.Reason != nil {
		dst = append(dst, w.Reason(101)...)
	}
	dst = append(dst, "\r\n"...)
	dst = appendLine(dst, "upgrade", websocket)
	dst = appendLine(dst, "connection", "upgrade")
	dst = appendLine(dst, "sec-websocket-accept", acceptOf(w.req.Key))
	return append(w.plain(dst, fields), "\r\n"...)
}

// agreed makes the header block for a 101.
func (r *Reader) agreed(head *h1.Head) (Part, error) {
	protocol, _ := head.Get("Upgrade")
	accept, _ := head.Get("Sec-WebSocket-Accept")
	switch {
	case r.answers.Key == "":
		return Part{}, errors.New("status 101, which HTTP/2 does not have")
	case !strings.EqualFold(string(protocol), websocket):
		return Part{}, fmt.Errorf("status 101 for %q, and not for WebSocket", protocol)
	case string(accept) != acceptOf(r.answers.Key):
		return Part{}, fmt.Errorf("Sec-WebSocket-Accept %q, which does not fit the key", accept)
	}
	r.tunnel = true
	r.fields = append(r.fields[:0], h2.Field{Name: ":status", Value: "200"})
	r.fields = toHTTP2(r.fields, head.Fields, "", "sec-websocket-accept")
	return Part{Kind: Head, Fields: r.fields}, nil
}
