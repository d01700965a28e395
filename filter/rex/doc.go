// Package rex runs the regular expressions of mitmproxy's filters on Go's engine.
//
// mitmproxy's users write Python's dialect. [Compile] reads that dialect and
// rewrites what Go spells or means differently: \Z, {,n}, \uXXXX, comments,
// classes that are Unicode in text and ASCII in bytes, $ before a last line end.
// What an automaton cannot do (look-around, back-references, atomic groups) is
// refused by name and place. The one difference that remains silently is \b,
// which knows ASCII words only.
//
// A pattern is over text or over bytes ([Options.Bytes]). Over bytes, each byte
// is a character of its own: \xff is that byte, not U+00FF, and case folding is
// ASCII's, as in Python. Go has no such mode, so bytes from 0x80 up travel
// through the engine as private-use characters, which fold and class like nothing.
//
// Most patterns hold a literal that every match must contain. It is searched
// first, by jumping from one occurrence of its rarest byte to the next, and
// where the pattern is nothing but a literal the regexp never runs.
//
// The package knows nothing of flows or filters. A Pattern never changes and is
// safe for concurrent use. Invariants: matching takes time linear in the input
// and memory independent of it, and cutting a stream into other pieces does not
// change the answer.
package rex
