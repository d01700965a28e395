// Package tnetstring reads and writes tagged netstrings, the encoding of mitmproxy's dump files.
//
// A dump is a sequence of tagged netstrings (tnetstrings.info): a size in decimal
// digits, a colon, so many bytes, and a byte that says what they are.
//
//	5:hello,   bytes          5:false!   a boolean
//	5:hello;   text, UTF-8    0:~        nothing
//	2:42#      an integer     8:1:a;1:b;] a list
//	3:1.5^     a float        8:1:a;1:b;} a dictionary, key and value in turns
//
// [Reader] reads the values of a dump one after the other, [Parse] one that is in
// memory; [Append] and [Write] are the way back. What the values of a flow mean is not told here.
//
// In Go a value is nil, bool, int64, float64, []byte, string, [List] or [Dict];
// only these come from reading. Writing also takes [Stream], so that a
// body need not be in memory.
//
// Sizes come from strangers: a value is bounded in bytes and in depth, and memory
// is taken as bytes arrive, not as they are announced. The package starts no
// goroutine; a Reader belongs to one at a time.
package tnetstring
