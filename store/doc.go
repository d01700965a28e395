// Package store keeps a session: everything that was captured, in one SQLite file.
//
// [Create] and [Open] give a [Session]. A capture records through its [Writer];
// lists are a [View], filter times order times window; single things are read by
// [Session.Flow], [Session.Body], [Session.Messages] and their like; what people say of flows is
// written by [Session.Annotate]. [Session.Remove] puts flows out of sight, [Session.Undo] brings
// them back, [Session.Purge] ends that. [Session.Wait] and [Session.Changes] tell what
// happened since. The format is described in docs/session-format.md and laid down in schema.sql.
//
// It is not a cache and not a queue: what was written stays until somebody drops
// it. It knows nothing of sockets and of screens, and does not interpret bodies; they are kept
// and returned as they were received.
//
// A session that is filled at once from something that can be read again is made with
// [Options].Bulk: what is written is then written once, see bulk.go.
//
// # Concurrency
//
// A Session and all it gives are safe for concurrent use. Of each file there is
// one Writer in the whole system, any number of readers, and any number of
// processes that annotate.
//
//	Writer.Flow, Conn, Body, Message     callers encode, then wait for room
//	        │
//	      queue          bounded in bytes; full: callers wait, for a full disk too
//	        │
//	      tape           one goroutine, one connection, one transaction a batch
//	        ├──► sync            a goroutine that makes transactions durable while the next are written
//	        ├──► checkpointer    a goroutine that folds the -wal file into the session
//	        ├──► compactor       a goroutine that makes bodies smaller while the queue is empty
//	        └──► feed            wakes Session.Wait; coalesces: "changed up to revision N"
//
// Readers use a small pool of connections, each with its own snapshot, and wait for
// nobody. Notes are written by a connection of their own, in transactions shorter
// than the writer's. Those who write take turns, in whatever process they are. Every goroutine ends in the Close of what started it: the
// writer's two, the checkpointer's and the compactor's in [Writer.Close], a view's in [View.Close].
//
// # The packages around it
//
//	union, merge, repair, survey, bench    stand on a Session, or put one together as a [Draft]
//	                ▲
//	              store
//	                ▼
//	compact, verify, drop, prescan         work on the file that a Session has open
//	body, idlist, extsort                  bodies in the file; lists of flows in memory
//	rowid, upcall, fault, lock, pack       know what a file is made of, and nothing of sessions
//
// Only those above know the tables by [Session.DB]; nobody else outside needs SQL.
//
// # Invariants
//
//   - What [Writer.Flush] acknowledged survives the death of the process, and with
//     [SyncFull] that of the machine. What is queued is on its way to the disk after at most 50 ms.
//   - A transaction is whole or not there: every flow, removed or not, has its head, and no body
//     or message is without a flow.
//   - Ids are given in the order of arrival, to nothing that is not queued, and never twice.
//   - No call needs memory for a whole body; a piece of 256 KB at most.
//   - What is read from a file is checked before it is trusted: a file may be
//     damaged, or made by somebody who means harm.
package store
