// Package socks reads and writes the messages of SOCKS5 (RFC 1928) and of its
// login (RFC 1929), without doing any I/O.
//
// What a client sends is parsed from the front of what has arrived of it:
// [ParseGreeting], [ParseLogin] and [ParseRequest] return how many bytes the
// message took, 0 where it is not whole yet. They take what they are given and
// no more, so that bytes a client sent ahead stay with the caller. An error is
// final. What goes to the client is appended to a slice.
//
//	client                          server
//	ParseGreeting  ──────────────►
//	               ◄──────────────  AppendMethod
//	ParseLogin     ──────────────►                  with LoginMethod only
//	               ◄──────────────  AppendLoginReply
//	ParseRequest   ──────────────►
//	               ◄──────────────  AppendReply
//	the connection itself, or ParseDatagram and AppendDatagram beside it
//
// There is no state and nothing is allocated but names; all lengths are bounded
// by the protocol's single bytes. Everything is safe for concurrent use.
package socks
