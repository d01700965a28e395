// Package h1 reads HTTP/1.0 and HTTP/1.1 messages (RFC 9112) without doing any
// I/O: bytes in, events out. The proxy feeds it from sockets, a packet capture
// feeds it from reassembled segments.
//
// A [Reader] parses one direction of one connection. Its owner hands it what
// arrived, in pieces of any size, and takes events until [NeedMore]:
//
//	for len(p) > 0 {
//		n, ev, err := r.Feed(p)
//		p = p[n:]
//		...
//	}
//
// One message is the sequence MessageHead, then any number of Data and
// ChunkExtension, then MessageEnd. Cutting the input differently cuts Data
// differently and changes nothing else.
//
// # Exact bytes
//
// Nothing is normalised. [Head.Raw] is the head as it came, and a [Field] keeps
// its line wherever "Name: value CRLF" would not rebuild it. A bare LF ends a
// line of a head (RFC 9112 §2.2), folded values are kept (§5.2), lines that are
// no field are kept as a field without a name, each where it is read at all. Up to [Limits.BlankLines] empty
// lines before a start line are skipped, and are the only bytes that belong to
// no event.
//
// # What two readers could understand differently
//
// Whoever sits between two parties must know where a message ends. What makes
// that uncertain is an [Oddity] of the message, and ends the reading with a
// [*Error] that tells the place (RFC 9112 §6.3, §11.2):
//
//   - Transfer-Encoding together with Content-Length
//   - Transfer-Encoding in an HTTP/1.0 message
//   - several Transfer-Encoding fields, or chunked applied twice or not last
//     (a response may lack chunked altogether: its body then ends with the connection)
//   - a Content-Length that is no plain decimal number below 2^63
//   - several Content-Length values; a response may repeat the same value, as
//     browsers allow it
//   - either field folded, or with stray bytes beside its name
//   - a bare CR or a NUL anywhere in a head (RFC 9110 §5.5)
//   - a body on CONNECT
//   - inside chunked framing: a line end other than CRLF, a size that is no hex
//     number, anything but CRLF after the data
//   - of a request: a line that ends in LF alone, a folded field, white space
//     before a colon, which servers read and write in responses
//
// With [Limits.Lenient] all of these are read: chunked framing is followed where
// there is any and as far as it goes, and what is ambiguous else lasts until the
// connection ends. [Reader.Oddities] tells what there was in either case.
//
// # What it is not
//
// It decodes no content codings and no semantics beyond framing and connection
// persistence. It does not pair responses with requests: the owner of a response
// reader names the request's method with [Reader.ForRequest], since the length
// of a response depends on it.
//
// # Concurrency and memory
//
// A Reader is for one goroutine at a time. It holds one head, bounded by
// [Limits]; bodies are never held, Data points into the caller's slice.
package h1
