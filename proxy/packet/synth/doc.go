// Package synth makes packets out of flows: the way back from package packet, so that
// what a proxy recorded opens in Wireshark and its kin.
//
//	flow ─► script: who said what, and when
//	          ├─ HTTP/1, WebSocket, other upgrades ─► the text as it was received
//	          ├─ HTTP/2 and 3 ─► frames of HTTP/2, by prior knowledge or by ALPN
//	          ├─ tcp ─► the messages, in order
//	          └─ udp, dns ─► datagrams
//	        ─► queue: what all flows said, in order of time
//	        ─► talk: TLS records ─► TCP segments ─► IP packets ─► pcapng
//
// # What is true in such a file and what is made up
//
// True are the addresses of the client's and the server's connections where they are
// known, heads and bodies (byte for byte, content coding kept), the content of messages,
// and the times at which a phase of a flow began and ended. Between these, bytes are
// spread evenly.
//
// Made up is the rest. A server of which only a name is known has an address of
// 198.18.0.0/15 (RFC 2544), a client of which nothing is known is 192.0.2.1 (RFC 5737);
// where one end is IPv4 and the other IPv6, the IPv4 address is written mapped
// (RFC 4291 section 2.5.5.2). The packets are those of raw IP, without a link's header.
// Flows of one connection share a TCP stream in their order; what was concurrent in
// HTTP/2 is so here. A stream whose ports another one has gets a client port of its own.
// Server ports are kept, save that dns flows are on port 53.
//
// https is a session of TLS 1.3 that never was, with the names and certificates of the
// real one, whose secrets are in the file (a decryption secrets block): Wireshark needs
// no settings to read it. Its key exchange, its certificate's signature and its version
// are not the real ones.
//
// WebSocket messages are in frames of the lengths they had, masked as the side must, but
// not compressed again. Chunks are as package httptext makes them. Where fields do not
// frame the body that is there (an archive whose bodies are decoded), Content-Length is
// made to fit. Bytes that were passed on and not kept are a gap in the stream, as if the
// capture had missed them; in TLS and HTTP/2 nothing can be read behind a gap, so that
// the connection or stream ends there. TLS handshakes that failed have no form here.
//
// # Memory
//
// At most 16 MB of packets wait to be put in order of time, and 4096 connections are
// open; beyond that packets come a little out of order, and the connection that was
// silent longest is closed. No body is held.
//
// Concurrency: a [Writer] belongs to one goroutine.
package synth
