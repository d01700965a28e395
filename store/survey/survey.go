// Package survey says what a session holds, and where its bytes are: which kinds of flows there
// are, to which hosts, what each table takes, what sharing and packing save, and which
// sessions were merged in.
//
// It is for a person who asks once, and reads a good part of the file for it: all of it where
// sizes are to be exact, a scan of the narrow columns and some samples otherwise. It
// only reads, beside whoever writes, in the goroutine of the caller; a session that is being
// captured changes meanwhile, so that its numbers may be of moments that lie apart.
package survey

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"

	flowpb "weir/proto"
	"weir/store"
	"weir/store/body"
	"weir/store/fault"
	"weir/store/rowid"
)

// Survey is what a session holds, and where its bytes are.
type Survey struct {
	Kinds   map[flowpb.Kind]uint64 // flows of each
	Failed  uint64                 // flows with an error
	Removed uint64                 // flows that can be brought back
	Hosts   []HostCount            // with most flows first, ten at most

	Tables []TableSize // largest first
	Exact  bool        // whether Tables was measured; else estimated from samples
	Free   int64       // bytes of pages that hold nothing
	WAL    int64       // bytes of the -wal file

	SharedBodies         uint64 // that refer to the bytes of another one
	SharedBytes          int64  // that these would take
	PackedFrom, PackedTo int64  // bytes of compressed pieces before and after

	Sources []Source // sessions whose flows were copied here
}

// HostCount is what went to one host.
type HostCount struct {
	Host  string
	Flows uint64
	Bytes int64 // of bodies, both ways
}

// Source is a session whose flows were copied into another one.
type Source struct {
	UUID    [16]byte
	Name    string // of its file; "": only flows of it were met
	Created int64  // ns since the epoch
	Creator string
	Flows   uint64
}

// Of surveys a session. It takes a scan of the narrow columns, about half a second a
// million flows. Sizes are measured in files up to 64 MB, and in larger ones with exact,
// which reads all of the file; else they are estimated from samples.
func Of(ctx context.Context, session *store.Session, exact bool) (*Survey, error) {
	s := &Survey{Kinds: map[flowpb.Kind]uint64{}, Exact: exact}
	r := reader{path: session.Path(), db: session.DB()}
	for _, part := range []func(context.Context, *Survey) error{
		r.countFlows, r.readSums, r.readSources, r.readSizes,
	} {
		if err := part(ctx, s); err != nil {
			return nil, fmt.Errorf("describe session: %w", fault.Classify(err))
		}
	}
	return s, nil
}

// reader reads what a survey is made of.
type reader struct {
	path string
	db   *sql.DB
}

// What is remembered and told of hosts.
const (
	topHosts = 10
	maxSites = 1 << 18 // sites that are counted; flows of further ones are not among the hosts
)

// countFlows counts by kind and site in one scan.
func (r reader) countFlows(ctx context.Context, s *Survey) error {
	sites := map[int64]HostCount{}
	err := rowid.Each(ctx, r.db, "SELECT kind, flags, site, coalesce(request_size, 0) + coalesce(response_size, 0) FROM flow", func(rows *sql.Rows) error {
		var kind flowpb.Kind
		var flags flowpb.Flags
		var site, bytes int64
		if err := rows.Scan(&kind, &flags, &site, &bytes); err != nil {
			return err
		}
		s.Kinds[kind]++
		if flags&flowpb.FlagError != 0 {
			s.Failed++
		}
		if c, known := sites[site]; known || len(sites) < maxSites {
			sites[site] = HostCount{Flows: c.Flows + 1, Bytes: c.Bytes + bytes}
		}
		return nil
	})
	if err != nil {
		return err
	}
	hosts := map[string]HostCount{}
	for site, c := range sites {
		var host string
		err := r.db.QueryRowContext(ctx, "SELECT coalesce((SELECT host FROM site WHERE id = ?), '')", site).Scan(&host)
		if err != nil {
			return err
		}
		sum := hosts[host]
		hosts[host] = HostCount{Host: host, Flows: sum.Flows + c.Flows, Bytes: sum.Bytes + c.Bytes}
	}
	delete(hosts, "")
	s.Hosts = most(hosts, func(a, b HostCount) int {
		return cmp.Or(-cmp.Compare(a.Flows, b.Flows), cmp.Compare(a.Host, b.Host))
	})
	s.Hosts = s.Hosts[:min(len(s.Hosts), topHosts)]
	return nil
}

// most returns the values of m in an order.
func most[K comparable, V any](m map[K]V, order func(a, b V) int) []V {
	var out []V
	for _, v := range m {
		out = append(out, v)
	}
	slices.SortFunc(out, order)
	return out
}

// readSums reads what the file has summed up already.
func (r reader) readSums(ctx context.Context, s *Survey) error {
	if info, err := os.Stat(r.path + "-wal"); err == nil {
		s.WAL = info.Size()
	}
	err := r.db.QueryRowContext(ctx, `SELECT
		(SELECT count(*) FROM removed WHERE at > 0),
		(SELECT coalesce(sum(uses - 1), 0) FROM shared WHERE uses > 1),
		(SELECT coalesce(sum((uses - 1) * size), 0) FROM shared WHERE uses > 1),
		coalesce((SELECT value FROM session WHERE key = ?), 0), coalesce((SELECT value FROM session WHERE key = ?), 0)`,
		body.KeyPackedFrom, body.KeyPackedTo).Scan(&s.Removed, &s.SharedBodies, &s.SharedBytes, &s.PackedFrom, &s.PackedTo)
	if err != nil {
		return err
	}
	var pages int64
	err = r.db.QueryRowContext(ctx, "PRAGMA freelist_count").Scan(&pages)
	s.Free = pages * store.PageSize
	return err
}

func (r reader) readSources(ctx context.Context, s *Survey) error {
	const query = `SELECT uuid, name, created, creator, (SELECT count(*) FROM origin WHERE source = source.id) FROM source ORDER BY id`
	return rowid.Each(ctx, r.db, query, func(rows *sql.Rows) error {
		var from Source
		var uuid []byte
		if err := rows.Scan(&uuid, &from.Name, &from.Created, &from.Creator, &from.Flows); err != nil {
			return err
		}
		copy(from.UUID[:], uuid)
		s.Sources = append(s.Sources, from)
		return nil
	})
}
