package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	flowpb "weir/proto"
	"weir/store/drop"
	"weir/store/rowid"
)

// Connections are shared by flows, and certificates by connections, and neither has a
// count of its users: keeping one would cost every flow a write. So what only dropped
// flows used is found by reading what is left, once for about as many flows dropped
// as there are: the work for each stays the same however many there are.
//
// A connection goes when it ended a while ago and no flow names it. The highest one
// stays, for the next one's number is told by it.

const (
	orphansAfter = 10_000 // dropped flows, at least
	orphanPage   = 512    // rows read or deleted at a time
	// endedAgo is how long a connection must have ended before: what is still queued may name it.
	endedAgo = time.Minute
)

// errTooBusy ends a search that the change log cannot bring up to date.
var errTooBusy = errors.New("too much has changed meanwhile")

// orphans looks for connections and certificates that nobody names.
type orphans struct {
	w     *Writer
	s     *Session
	since uint64 // revision up to which heads were read
	bound uint64 // connections from this one on are not looked at
	used  bits   // connections that flows name
}

// dropOrphans deletes connections and certificates that no flow needs. It reads all
// heads, a page at a time with rests between.
func (w *Writer) dropOrphans(ctx context.Context, now time.Time) error {
	o := &orphans{w: w, s: w.s, used: bits{}}
	var err error
	if o.since, err = w.s.Revision(ctx); err != nil {
		return err
	}
	if err := w.s.read.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM conn").Scan(&o.bound); err != nil {
		return classify(err)
	}
	if err := o.markConns(ctx); err != nil {
		return fmt.Errorf("look for connections that are not needed: %w", err)
	}
	if err := o.dropConns(ctx, now); err != nil {
		return fmt.Errorf("drop connections: %w", err)
	}
	if err := o.dropCerts(ctx); err != nil {
		return fmt.Errorf("drop certificates: %w", err)
	}
	return nil
}

// markConns reads all heads, those of removed flows as well.
func (o *orphans) markConns(ctx context.Context) error {
	for at := int64(0); ; {
		begun := time.Now()
		last, err := o.markHeads(ctx, o.s.read, "SELECT id, blob FROM head WHERE id > ? ORDER BY id LIMIT ?", at, orphanPage)
		if err != nil || last == 0 {
			return err
		}
		at = last
		if err := rest(ctx, time.Since(begun)); err != nil {
			return err
		}
	}
}

// markHeads marks the connections that some heads name, and returns the last flow of
// them, 0 if there is none. A head that cannot be read is an error: nobody knows
// what it needs.
func (o *orphans) markHeads(ctx context.Context, q rowid.Querier, query string, args ...any) (last int64, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return 0, classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		var blob sql.RawBytes
		if err := rows.Scan(&last, &blob); err != nil {
			return 0, classify(err)
		}
		f, err := flowpb.DecodeFlow(uint64(last), blob)
		if err != nil {
			return 0, err
		}
		for _, conn := range []uint64{f.GetClientConn(), f.GetServerConn()} {
			if conn < o.bound {
				o.used.add(conn)
			}
		}
	}
	return last, classify(rows.Err())
}

// dropConns deletes the connections that are not marked and ended.
func (o *orphans) dropConns(ctx context.Context, now time.Time) error {
	for at := uint64(0); ; {
		begun := time.Now()
		page, last, err := o.endedConns(ctx, at, now.Add(-endedAgo).UnixNano())
		if err != nil || last == 0 {
			return err
		}
		if at = last; len(page) > 0 {
			if err := o.s.update(ctx, func(tx *sql.Tx) error { return o.drop(ctx, tx, page) }); err != nil {
				return err
			}
		}
		if err := rest(ctx, time.Since(begun)); err != nil {
			return err
		}
	}
}

// endedConns returns those of a page of connections that may go, and the page's last.
func (o *orphans) endedConns(ctx context.Context, after uint64, before int64) (page []uint64, last uint64, err error) {
	err = o.conns(ctx, o.s.read, "id > ? AND id < ? ORDER BY id LIMIT ?", []any{int64(after), int64(o.bound), orphanPage}, func(c *flowpb.Conn) {
		if last = c.GetId(); !o.used.has(last) && c.GetEndedNs() > 0 && c.GetEndedNs() < before {
			page = append(page, last)
		}
	})
	return page, last, err
}

// conns calls each for connections.
func (o *orphans) conns(ctx context.Context, q rowid.Querier, where string, args []any, each func(*flowpb.Conn)) error {
	rows, err := q.QueryContext(ctx, "SELECT id, blob FROM conn WHERE "+where, args...)
	if err != nil {
		return classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id uint64
		var blob sql.RawBytes
		if err := rows.Scan(&id, &blob); err != nil {
			return classify(err)
		}
		c := &flowpb.Conn{}
		if err := flowpb.Decode(blob, c); err != nil {
			return fmt.Errorf("read connection %d: %w", id, err)
		}
		c.Id = id
		each(c)
	}
	return classify(rows.Err())
}

// drop deletes connections, but for those that a flow has come to name meanwhile. The
// transaction keeps others from writing: what the log says now is all there is.
func (o *orphans) drop(ctx context.Context, tx *sql.Tx, page []uint64) error {
	changed, upto, truncated, err := o.s.Changes(ctx, o.since)
	if err != nil {
		return err
	}
	if truncated {
		return errTooBusy
	}
	if _, err := o.markHeads(ctx, tx, "SELECT id, blob FROM head"+these+" ORDER BY id", rowid.List(changed)); err != nil {
		return err
	}
	o.since = upto
	page = slices.DeleteFunc(page, o.used.has)
	_, err = tx.ExecContext(ctx, "DELETE FROM conn"+these, rowid.List(page))
	return err
}

// dropCerts deletes the certificates that no connection names.
func (o *orphans) dropCerts(ctx context.Context) error {
	// From here on whatever names a certificate brings it along, once; and all that
	// names one without bringing it is on disk before the connections are read.
	o.w.forgetCerts()
	if err := o.w.Flush(ctx); err != nil {
		return err
	}
	c := certs{used: map[[sha256.Size]byte]bool{}}
	if err := o.readCerts(ctx, &c); err != nil {
		return err
	}
	return o.s.update(ctx, func(tx *sql.Tx) error {
		changed := "id > ? OR id IN (SELECT value FROM json_each(?))"
		if err := o.conns(ctx, tx, changed, []any{int64(c.last), rowid.List(c.open)}, c.mark); err != nil {
			return err
		}
		return dropUnused(ctx, tx, c.used)
	})
}

// certs is which certificates connections name.
type certs struct {
	used map[[sha256.Size]byte]bool
	open []uint64 // connections that may come to name others
	last uint64   // connection that was looked at
}

func (c *certs) mark(conn *flowpb.Conn) {
	for _, x := range conn.AllCertificates() {
		if len(x.GetSha256()) == sha256.Size {
			c.used[[sha256.Size]byte(x.GetSha256())] = true
		}
	}
}

// readCerts reads all connections, a page at a time with rests between.
func (o *orphans) readCerts(ctx context.Context, c *certs) error {
	for {
		begun, at := time.Now(), c.last
		err := o.conns(ctx, o.s.read, "id > ? ORDER BY id LIMIT ?", []any{int64(at), orphanPage}, func(conn *flowpb.Conn) {
			c.mark(conn)
			if c.last = conn.GetId(); conn.GetEndedNs() == 0 {
				c.open = append(c.open, c.last)
			}
		})
		if err != nil || c.last == at {
			return err
		}
		if err := rest(ctx, time.Since(begun)); err != nil {
			return err
		}
	}
}

// dropUnused deletes the certificates that are not in use.
func dropUnused(ctx context.Context, tx *sql.Tx, used map[[sha256.Size]byte]bool) error {
	rows, err := tx.QueryContext(ctx, "SELECT sha256 FROM cert")
	if err != nil {
		return err
	}
	defer rows.Close()
	var unused [][]byte
	for rows.Next() {
		var hash []byte
		if err := rows.Scan(&hash); err != nil {
			return err
		}
		if len(hash) == sha256.Size && !used[[sha256.Size]byte(hash)] {
			unused = append(unused, hash)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, hash := range unused[:min(len(unused), drop.Rows)] { // the others the next time
		if _, err := tx.ExecContext(ctx, "DELETE FROM cert WHERE sha256 = ?", hash); err != nil {
			return err
		}
	}
	return nil
}

// forgetCerts makes the writer write certificates that it wrote before.
func (w *Writer) forgetCerts() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.known)
}

// bits is a set of numbers, a bit each in pages of 4096, so that strange numbers cost
// no more than many.
type bits map[uint64]*[64]uint64

func (b bits) add(n uint64) {
	page := b[n>>12]
	if page == nil {
		page = new([64]uint64)
		b[n>>12] = page
	}
	page[n>>6&63] |= 1 << (n & 63)
}

func (b bits) has(n uint64) bool {
	page := b[n>>12]
	return page != nil && page[n>>6&63]>>(n&63)&1 != 0
}
