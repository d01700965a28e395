// Package translate shows a stream of HTTP/2 as a connection of HTTP/1.1, without
// doing any I/O (RFC 9113 §8, RFC 9110 §7.6). It is for where the two ends of an
// exchange do not speak the same version: what is between them speaks HTTP/1.1,
// and the end of HTTP/2 is dressed up.
//
//	an h2.Event ───► [Writer] ───► bytes of HTTP/1.1
//	[Part] ◄─── [Reader] ◄─── bytes of HTTP/1.1
//
// Towards a client the Writer writes its requests and the Reader takes the
// responses for it; towards a server it is the other way round. One pair of them
// serves one stream after the other.
//
// # What becomes what
//
//   - The pseudo-header fields are the start line and Host, and :authority wins
//     over a Host beside it. All other fields keep their order, and names are
//     in lower case on both sides, as HTTP/2 has no other.
//   - Cookie fields that HTTP/2 cut into crumbs are one field again (§8.2.3).
//   - Fields that belong to the connection are left out (§8.2.2): Connection and
//     what it names, Keep-Alive, Proxy-Connection, Transfer-Encoding, Upgrade. Of
//     TE only trailers stays.
//   - A body with a length keeps it. One without is chunked in HTTP/1.1, and lasts
//     until the connection ends for a client of HTTP/1.0. A request that ends with
//     its head and whose method expects a body has one of length 0.
//   - Trailers pass where the body is chunked, in both directions. A message with a
//     length that announces trailers (Trailer) is chunked for their sake; where
//     it does not announce them, HTTP/1.1 has no place for them.
//   - Interim responses pass, but 101, which HTTP/2 does not have, and any to a client of HTTP/1.0.
//   - A 2xx to CONNECT makes both directions bytes without meaning.
//   - A request for WebSocket is an Upgrade in HTTP/1.1, with a key that the Writer is given and
//     whose answer the Reader checks, and an extended CONNECT in HTTP/2, which knows
//     no keys (RFC 8441 §5). The 101 of the one is the 200 of the other. Towards a server that does
//     not offer extended CONNECT the Upgrade is left out, and it answers as it would
//     to any request.
//
// What cannot be said in the other version (a :path with a blank in it, extended
// CONNECT for anything else, an Upgrade to it that was agreed to, a 200 instead of the 101) is
// an error, and nothing of it is written.
//
// # Concurrency
//
// A Writer and a Reader are each for one goroutine at a time, and hold no more
// than a head.
package translate
