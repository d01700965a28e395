package store

import (
	"context"
	"fmt"

	"weir/store/fault"
)

// Filling a session in bulk. A session made with [Options].Bulk is filled by one writer from
// something that can be read again, a file as a rule. By way of a -wal file all would be
// written twice and read once. So until that writer is closed there is none: SQLite keeps a
// rollback journal (sqlite.org/atomiccommit.html), in which it puts pages as they were before a
// transaction changes them. What a session is filled with is nearly all new pages, and
// these are written once, to where they belong.
//
//   - Others may look at the session meanwhile. They and the writer wait for each other, but
//     only while a transaction is copied from memory into the file, some milliseconds.
//   - A process that is killed leaves what was committed: who opens the session next has
//     SQLite take back, by the journal, what was not.
//   - Nothing waits for the disk before the end, so that a power cut may leave a damaged file. What
//     is written goes to the disk beside, and out of the system's cache: see checkpointer.forget.
//
// At the end the file is synced and put into WAL mode, in which sessions are; if it does not come to
// that, the next writer does.
const (
	bulkCache = 6 << 20 // bytes, of the writing connection: a transaction with the pages it changes
	bulkBatch = 4 << 20 // bytes a transaction: the fewer there are, the fewer pages are written again
	bulkFlows = 4096    // flows a transaction
	bulkQueue = 2 * bulkBatch
)

// inBulk sets the defaults for filling a session.
func (o WriterOptions) inBulk() WriterOptions {
	if o.QueueBytes <= 0 {
		o.QueueBytes = bulkQueue
	}
	if o.BodyBytes <= 0 {
		o.BodyBytes = bulkBatch
	}
	if o.BatchFlows <= 0 {
		o.BatchFlows = bulkFlows
	}
	if o.BatchBytes <= 0 {
		o.BatchBytes = bulkBatch
	}
	return o
}

// endBulk makes durable what a session was filled with, and the session one like others.
func (t *tape) endBulk(ctx context.Context) error {
	if err := t.points.syncFile(); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	if _, err := t.conn.ExecContext(ctx, "PRAGMA synchronous = FULL; PRAGMA busy_timeout = 1000"); err != nil {
		return err
	}
	if err := useWAL(ctx, t.conn); err != nil && fault.Code(err) != fault.CodeBusy {
		return err
	}
	return nil // with somebody who reads for long it stays as it is, and is whole all the same
}
