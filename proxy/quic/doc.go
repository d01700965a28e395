// Package quic reads how QUIC connections begin (RFC 9000, RFC 9001, and RFC 9369 for
// version 2) without doing any I/O and without any secret: the first packets of both
// sides are sealed with keys that follow from a number in the first of them, so anybody
// can open them. They hold the TLS hellos, for which package handshake is.
//
// An [Initials] takes the datagrams of one connection. It opens Initial packets,
// several in a datagram, puts their CRYPTO frames in order, over several packets and in
// any order of theirs, and passes over everything else. What comes later is sealed with
// secrets that only the ends have, and is not looked at.
//
// Memory is bounded: 16 KB of CRYPTO frames a side that wait for those before them, and
// one handshake message.
//
// Concurrency: an Initials belongs to one goroutine at a time.
package quic
