// Package mitmdump reads and writes mitmproxy's dump files: flows of every version
// from 0.11 (2014) to 21, written as version 21.
//
//	file ─► tnetstring: one flow's state ─► migrate, a step a version ─► flowpb.Whole
//	flowpb.Whole ─► state of version 21 ─► tnetstring ─► file
//
// A dump has no header, index or trailer: it is flows one after the other, and ends
// where the last one does. A [Reader] holds one of them at a time. A flow whose state
// cannot be understood is a [flowpb.SkipError]; where the end of one cannot be found
// the reading stops, and what came before stands.
//
// What mitmproxy knows and a flow has no field for (its own id, metadata, that
// the flow was intercepted) is kept as the flow's meta and written again. Times are
// Python floats there, read and written to the digit they have: 100 ns.
//
// Concurrency: a Reader or Writer belongs to one goroutine. There is no shared state.
//
// Invariants: nothing panics on hostile bytes; a flow needs about three times its size
// in the file, of which [MaxFlow] is read at most; writing and reading again gives the same flow.
package mitmdump
