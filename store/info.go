package store

import (
	"context"
	"fmt"
	"os"

	"weir/store/drop"
	"weir/store/rowid"
)

// Info is what a session says of itself as a whole.
type Info struct {
	UUID    [16]byte
	Path    string
	Created int64  // ns since the epoch
	Creator string // what made it, "" if that was not said
	Format  int

	Flows         uint64
	First, Last   int64 // the least and the greatest Flow.created_ns; 0: no flows
	Marked        int   // flows with a mark
	RequestBytes  int64 // bytes of bodies, and of streams' client sides
	ResponseBytes int64
	FileBytes     int64 // on disk, the -wal file included
}

// Count returns the number of flows, in constant time.
func (s *Session) Count(ctx context.Context) (n uint64, err error) {
	return count(ctx, s.read)
}

func count(ctx context.Context, db rowid.Querier) (n uint64, err error) {
	// Ids are given without holes; what removes flows counts them.
	err = db.QueryRowContext(ctx, "SELECT ("+highestID+") - coalesce((SELECT value FROM session WHERE key = ?), 0)", drop.KeyRemoved).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count flows: %w", classify(err))
	}
	return n, nil
}

// Info describes the session. Its sums take one scan of the narrow columns, a
// tenth of a second a million flows; the rest is constant.
func (s *Session) Info(ctx context.Context) (Info, error) {
	in := Info{UUID: s.uuid, Path: s.path, Created: s.created, Creator: s.creator}
	var err error
	if in.Flows, err = s.Count(ctx); err != nil {
		return Info{}, err
	}
	if in.Format, err = userVersion(ctx, s.read); err == nil {
		err = s.read.QueryRowContext(ctx, `SELECT
			coalesce(min(nullif(started, 0)), 0), coalesce(max(started), 0),
			(SELECT count(*) FROM note WHERE marked <> '' AND flow IN (SELECT id FROM flow)),
			coalesce(sum(request_size), 0), coalesce(sum(response_size), 0) FROM flow`).
			Scan(&in.First, &in.Last, &in.Marked, &in.RequestBytes, &in.ResponseBytes)
	}
	if err != nil {
		return Info{}, fmt.Errorf("describe session: %w", classify(err))
	}
	for _, name := range []string{s.path, s.path + "-wal"} {
		if f, err := os.Stat(name); err == nil {
			in.FileBytes += f.Size()
		}
	}
	return in, nil
}
