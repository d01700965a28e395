// Package httptext writes the HTTP messages of a flow as the text of HTTP/1
// (RFC 9112): heads as they were received, bodies framed as they were.
//
// Heads are exact but for the line ends of start line and closing line, which are
// always CRLF. Chunks are made again, since their sizes are not kept: a chunk begins
// where one with an extension began. Messages of HTTP/2 come out as the same message
// of HTTP/1 would look, with their own version in the start line.
//
// It reads nothing and keeps nothing; a [Chunker] is for one goroutine.
package httptext
