// Package union shows several sessions as one: the flows of all of them in one list, in
// one order, without copying any.
//
// [Open] opens files, and says of those that cannot be opened why; the others are
// there. A [Set] reads flows by ids that have the session in them ([flowpb.Place]) and sends each
// question to the session that can answer it. [Set.View] is a list of all: it
// has a view of each session ([store.View]), which filters, sorts and follows by
// itself, and looks for a page in these when it is asked for one.
//
//	sessions    view of each           the one list
//	a.weir ──►  ids, by key ──┐
//	b.weir ──►  ids, by key ──┼─►  cut at a position ─► ids and keys of a page ─► merged ─► rows
//	c.weir ──►  ids, by key ──┘
//
// So nothing is kept of the list but a few cuts: how many flows of each session stand
// before a position. A cut is found by reading some thousand keys at most, whatever the
// number of flows; those of a page's two ends tell which flows are between.
//
// Flows compare by key, then by session in the order given, then by arrival. Arrival
// means nothing between sessions: where flows are to be in that order they are in that
// of their beginnings.
//
// It is not a merge: a flow that is in two of the sessions is there twice, and
// says by ~session where. Package merge makes one session of several.
//
// # Concurrency
//
// A Set and its views are safe for concurrent use. A view starts a goroutine a session,
// which waits for that, and one that tells of changes; [View.Close] ends them and
// waits.
//
// # Invariants
//
//   - A page takes memory for its rows and some keys, not for the list.
//   - What is wrong with one session does not keep the others from being shown.
package union
