// Package packet makes flows out of captured packets: the second source beside
// the proxy, with the proxy's parsers.
//
//	packet ─► link: TCP segment, UDP datagram
//	             ├─ UDP ─┬─ a port of DNS ─► questions and answers (dns flows)
//	             │       ├─ an Initial of QUIC ─► the hellos' facts, datagrams (udp flow)
//	             │       └─ another ───────► exchange of datagrams (udp flow)
//	             └─ TCP ─► tcp.Stream, one a direction ─► bytes in order, gaps
//	                          └─► detector: who speaks what?
//	                                ├─ the port of DNS ─► dns flows
//	                                ├─ SOCKS ─► detector again, inside
//	                                ├─ a request line ─► h1, pipelined ─► http flows
//	                                │      ├─ 2xx to CONNECT ─► detector again
//	                                │      └─ 101 ─► HTTP/2, WebSocket, or messages as they came
//	                                ├─ the preface of HTTP/2, or frames ─► h2, listening ─► http flows
//	                                ├─ a ClientHello ─► its facts
//	                                │      ├─ its secrets are known ─► unseal ─► detector again, inside
//	                                │      └─ else ─► messages (tcp flow, or tls where it fails)
//	                                └─ anything else ─► messages (tcp flow), until a ClientHello (STARTTLS)
//
// An [Assembler] is given packets in the order of their capture and tells a [Sink]
// what they amount to, as it goes. It does no I/O and reads no clock: times are the
// packets' own, and so are time-outs.
//
// # What holds
//
//   - Who sent the first SYN is the client; where no SYN was seen, who sends a
//     request, else the end with the higher port.
//   - Nothing is guessed. Bytes that were sent and not captured are a gap of the flow;
//     inside a body zeros stand for them, so that what follows keeps its place.
//   - Where a capture mixed up the two directions, what was said first is told first: a
//     segment that answers what has not come waits for it, for a fifth of a second.
//   - What is no message of a protocol that is understood is a message of a tcp flow:
//     no captured byte of a stream is left out but retransmissions, and the wrapping
//     of what could be decrypted.
//   - TLS is decrypted, or told as it came with the reason why not; never half a record.
//   - Memory is bounded: so many conversations, of which the longest silent one is
//     ended early, so many bytes that wait for missing ones (more of them in
//     [Options].Spill), and for secrets that may
//     come behind what they open ([Keys]).
//   - A mistake of ours that panics ends the reading of the conversation that it is about,
//     which goes on as it came; see package contain.
//
// Concurrency: an Assembler belongs to one goroutine.
package packet
