// Package bench measures a session's writer and the encodings of a flow.
//
// [Stream] records synthetic flows at a given pace and compares with the same
// bytes given to the database driver without a writer around it. [Codec] encodes and decodes a flow in
// three formats at several sizes. Both are what `weir bench` runs; neither is
// for anything else.
//
// Times depend on the machine and on what else it does, so that each
// measurement is accompanied, in the same run, by what it is to be compared
// with; the ratios are what means something.
//
// # Concurrency
//
// A measurement starts the goroutines it needs (a source, a sampler, readers) and returns
// after the last of them has ended. Two measurements at once disturb each other.
package bench
