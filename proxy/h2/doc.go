// Package h2 speaks HTTP/2 (RFC 9113) without doing any I/O: bytes in, events
// out, and frames appended to the caller's slice. The proxy drives it from
// sockets, a packet capture from reassembled segments.
//
// A [Conn] is our end of one connection; the other end, the peer, is a [Client]
// or a [Server]. Its owner hands it what arrived, in pieces of any size, and
// takes events until [NeedMore]:
//
//	for len(p) > 0 {
//		n, ev, err := c.Feed(p)
//		p = p[n:]
//		...
//	}
//
// Cutting the input differently cuts [Data] differently and changes nothing
// else. What is to be sent goes through the Append methods, which keep the
// states, the windows and the header compression of our half.
//
// # What it does not do by itself
//
// It answers nothing. Settings and pings are acknowledged, windows opened,
// streams reset and connections given up by whoever owns it, because a relay
// lets the far end do that: a ping is answered by the server it was meant for,
// and a window opens when the last receiver has taken the bytes.
//
// # Errors
//
// A connection error (§5.4.1) is returned by Feed, is final, and is a [*Error].
// A stream error (§5.4.2) is the event [StreamError]: the stream is lost, the
// connection goes on, and the owner is to reset the stream. Frames that were
// under way on a stream that we reset are [Discarded].
//
// Checked are the frames of §6, the stream states of §5.1, both windows of §5.2
// and the messages of §8: pseudo-header fields, lower-case names, the fields of
// HTTP/1 connections, and the length of the content. White space around a value
// is let through, as many servers send it and nobody reads it differently.
// PUSH_PROMISE is a connection error, since push must be switched off by the
// owner's first settings.
//
// # Listening
//
// [NewObserver] makes a Conn that hears what the two ends say to each other, one for
// each: a packet capture. It enforces nothing, takes pushes, can come late ([FindFrame])
// and can miss bytes ([Conn.Content], [Conn.Lose], [Conn.Join]).
//
// # Memory
//
// A Conn holds one frame that is not DATA or one header block, the two tables of
// HPACK (4 KB each unless settings shrink them) and the streams that are open,
// all bounded by [Limits]. DATA is never held: it points into the caller's
// slice. In the steady state nothing is allocated but the strings of header
// fields that the tables do not hold yet, and a stream.
//
// # Concurrency
//
// A Conn is for one goroutine at a time, sending included. It starts none and
// reads no clock; see [Conn.Calm].
package h2
