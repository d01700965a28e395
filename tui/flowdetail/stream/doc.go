// Package stream reads the content of a body that is too large to hold: windows of
// it, and walks through it for a match or its end, content codings undone.
//
// It knows nothing of screens and little of flows: an [Origin] is a function that
// reads bytes as they are stored, with their number and their codings. Content
// that is not encoded is read where it is wanted; content that is has no other
// way to a place than from its beginning, so that there a window costs as much as
// all that comes before it.
//
// Concurrency: an Origin, a [Part] and a [Needle] are immutable values; a [Walk]
// belongs to one goroutine at a time. No goroutines are started. What reads may
// block, and returns early when its context ends.
//
// Invariants: a window holds no more than was asked for, a walk no more than
// one read and an overlap, whatever the content decodes to; damaged content is
// given as far as it goes, with the fault.
package stream
