// Package handshake reads what TLS connections say in clear (RFC 8446, RFC 5246)
// without doing any I/O and without any key: the hellos, the certificates where they
// are not encrypted, and alerts.
//
// A [Half] takes the bytes of one direction in pieces of any size and gathers what it
// finds in its fields. It stops at the first bytes that are no TLS, and holds no more
// than one handshake message, of 64 KB at most; what is longer is [Half.Broken].
//
// Encrypted records are passed over: of those it is only known that there were some.
// Who can open them, or has no records at all (QUIC), gives what is in them to
// [Half.Opened]; certificates may then be compressed (RFC 8879).
//
// A [ClientHello] has its fingerprints, JA3 and JA4, whoever read it.
//
// Concurrency: a Half belongs to one goroutine at a time.
package handshake
