// Package unseal opens what TLS connections encrypt, given their secrets from a key
// log, without doing any I/O: the second half of reading captured TLS, of which package
// handshake is the first.
//
//	key log lines ─► Log ─► Secrets of a connection, found by its client's random
//	bytes of both directions ─► Conn ─► application data in order, gaps, what stays sealed
//
// It knows TLS 1.0 to 1.3 with AES-GCM, AES-CCM, ChaCha20-Poly1305, AES-CBC and
// 3DES-CBC (with the MAC inside or outside), RC4 and none. Of TLS 1.3 it follows HelloRetryRequest, early
// data, key updates and padding; of TLS 1.2 extended master secrets, renegotiation,
// and sessions that are resumed by number or ticket, whether the key log has their
// secrets again or only those of their first connection.
// It checks that records are what was sent, and nothing else: no certificate, no
// signature, no Finished.
//
// # What holds
//
//   - A record is opened or it is not: what does not authenticate is never told as data.
//   - Behind missing bytes the place of the next record is looked for, by trying the
//     numbers that may follow. It is certain where it is found. Where it is not, the
//     side stays sealed from there on, and its bytes are told as they came.
//   - Memory is bounded: a record of each side, 64 KB of those that come before their
//     keys can be known, and 64 KB where the next record is looked for. So is the work
//     of looking.
//
// # What it is not for
//
// Suites without any encryption, with Camellia, ARIA or another rare cipher, TLS
// compression, SSL 3.0 and DTLS stay sealed.
//
// Concurrency: a Log and a Conn belong to one goroutine at a time.
//
// Sources: RFC 8446 (TLS 1.3), RFC 5246 (1.2), RFC 4346 (1.1), RFC 2246 (1.0), RFC
// 5288, RFC 6655, RFC 7905, RFC 7366, RFC 7627, and for the format of key logs
// draft-ietf-tls-keylogfile.
package unseal
