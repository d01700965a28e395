// Package record turns what the wire parsers tell into what flows keep, the same for
// both sources: the proxy, which feeds it from sockets, and the packet reader, which
// feeds it from captured segments.
//
// [WebSocket] and [Events] make messages of bytes; [DNSMessage] is a message in
// another form, as is the head of an HTTP/2 stream. It does no I/O and reads no clock: a message that it gives its caller
// has neither flow nor time yet, which the caller adds.
//
// It decides nothing about connections: who talks to whom, when a flow begins and how
// it ends is the sources' own.
//
// Concurrency: nothing here is locked; a WebSocket and an Events belong to one
// goroutine at a time.
package record
