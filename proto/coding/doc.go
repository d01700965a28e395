// Package coding makes bodies readable: it undoes HTTP content codings
// (RFC 9110, section 8.4) and turns text of any charset into UTF-8.
//
// It is for viewing, searching and exporting only. What is forwarded and what
// is stored stays as it came from the wire, so nothing here encodes, and a body
// that cannot be decoded loses nothing.
//
// Every input is taken for hostile. Decoders run in the caller's goroutine and
// start none, hold at most about 20 MB each whatever the input claims, and
// Decode stops at the caller's limit. A stack of codings is bounded in depth
// and in what passes between two of its layers, so that a bomb inside a bomb
// ends. Damaged and cut input is the normal case, not the exception: all that
// could be decoded is returned, together with an error that says what is wrong.
//
// A [Pusher] is for bodies that are still arriving: it has decoders run as
// coroutines of the caller's goroutine, which end with Close.
//
// Functions are safe for concurrent use; a reader belongs to one goroutine.
package coding
