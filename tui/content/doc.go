// Package content turns the bytes of a body into lines to look at: one file a
// view. A view takes what is loaded of a body (an [Input]: bytes, where they
// stand in it, whether more follow, the media type) and yields a [Document]:
// lines of styled, sanitised text. [Render] picks the view where the user left
// that open, and says what to do when a body is not what it claims to be.
//
// The package does no I/O, undoes no content codings (weir/proto/coding does,
// before), knows no colours (a span has a [Kind], the theme has the colour) and
// never changes what it shows but for white space: what looks like JSON keeps
// the order of its keys and the digits of its numbers.
//
// Concurrency: no shared state, no goroutines. Render runs for as long as its
// input is large, so it is called off the interface's goroutine; it returns early
// when its context ends. A Document is immutable and may be read from anywhere.
//
// Invariants:
//   - All input is hostile. No view panics, and time and memory are linear in
//     the input and bounded by [MaxLines] and [MaxText] whatever it holds.
//   - All text in a Document went through the sanitiser: it holds no control
//     characters, and a line no line ends.
//   - A cut body is the normal case. A view shows what there is, and says where
//     it ends.
package content
