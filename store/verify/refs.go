package verify

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	flowpb "weir/proto"
	"weir/store/rowid"
)

// verifyStep is how many flows are checked before progress is told.
const verifyStep = 1024

// finder asks whether a row is there, and remembers some of those that are.
type finder struct {
	stmt *sql.Stmt
	seen map[any]struct{}
}

// maxFound is how many rows a finder remembers.
const maxFound = 16 << 10

func (v *verifier) finder(ctx context.Context, query string) (*finder, error) {
	stmt, err := v.tx.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return &finder{stmt: stmt, seen: map[any]struct{}{}}, nil
}

// has reports whether the row of key, which can be a map's key, is there.
func (f *finder) has(ctx context.Context, key any) (there bool, err error) {
	if _, known := f.seen[key]; known {
		return true, nil
	}
	if err := f.stmt.QueryRowContext(ctx, key).Scan(&there); err != nil || !there {
		return false, err
	}
	if len(f.seen) >= maxFound {
		clear(f.seen)
	}
	f.seen[key] = struct{}{}
	return true, nil
}

// verifiedRows is how many messages are looked at in one snapshot.
const verifiedRows = 1 << 16

// messages finds holes in the numbers of a flow's messages.
func (v *verifier) messages(ctx context.Context) error {
	var flow, next, end int64
	last := int64(math.MinInt64)
	// Those that come meanwhile are not looked at: a capture may be faster.
	if err := v.tx.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM message").Scan(&end); err != nil {
		return err
	}
	for n := verifiedRows; n == verifiedRows; {
		n = 0
		if err := v.begin(ctx); err != nil {
			return err
		}
		err := v.each(ctx, "SELECT id FROM message WHERE id > ? AND id <= ? ORDER BY id LIMIT ?", func(rows *sql.Rows) error {
			if err := rows.Scan(&last); err != nil {
				return err
			}
			n++
			if of := rowid.MessageFlow(last); of != flow {
				flow, next = of, 1
			}
			if sequence := rowid.Sequence(last); sequence != next {
				v.report(fmt.Sprintf("messages of flow %d", flow), "number %d follows %d", sequence, next-1)
				next = sequence
			}
			next++
			return nil
		}, last, end, verifiedRows)
		if err != nil {
			return err
		}
	}
	return nil
}

// connections reads every connection and looks for its certificates.
func (v *verifier) connections(ctx context.Context) error {
	// A digest is text here, for a map to remember it.
	certs, err := v.finder(ctx, "SELECT EXISTS (SELECT 1 FROM cert WHERE sha256 = CAST(? AS BLOB))")
	if err != nil {
		return err
	}
	defer certs.stmt.Close()
	return v.each(ctx, "SELECT id, blob FROM conn", func(rows *sql.Rows) error {
		var id uint64
		var blob sql.RawBytes
		if err := rows.Scan(&id, &blob); err != nil {
			return err
		}
		place := fmt.Sprintf("connection %d", id)
		c := &flowpb.Conn{}
		if err := flowpb.Decode(blob, c); err != nil {
			v.report(place, "%v", err)
			return nil
		}
		for _, x := range c.AllCertificates() {
			if len(x.GetSha256()) == 0 {
				continue
			}
			if there, err := certs.has(ctx, string(x.Sha256)); err != nil {
				return err
			} else if !there {
				v.report(place, "its certificate %x is not there", x.Sha256)
			}
		}
		return nil
	})
}
