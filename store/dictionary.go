package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	flowpb "weir/proto"
)

// dictionary gives sites and terms their numbers, inside the transactions of a
// tape. It remembers those that were used lately and looks the others up in the
// file, so that a capture of ever new hosts costs it time but no memory. Like the
// tape it is used by one goroutine at a time.
type dictionary struct {
	sites recent[site]
	terms recent[string]

	findSite, addSite, findTerm, addTerm *sql.Stmt
}

// Bounds of what a dictionary remembers: entries of one generation, of which there
// are two, and bytes of the texts of an entry.
const (
	maxRecent     = 16 << 10
	maxRecentText = 128
)

// prepare prepares what the dictionary needs.
func (d *dictionary) prepare(ctx context.Context, t *tape) error {
	return t.prepareAll(ctx, []statement{
		{&d.findSite, "SELECT id FROM site WHERE host = ? AND port = ? AND scheme = ? AND authority = ?"},
		{&d.addSite, "INSERT INTO site (host, port, scheme, authority) VALUES (?, ?, ?, ?)"},
		{&d.findTerm, "SELECT id FROM term WHERE text = ?"},
		{&d.addTerm, "INSERT INTO term (text) VALUES (?)"},
	})
}

// site returns the number of a flow's site.
func (d *dictionary) site(ctx context.Context, s *flowpb.Summary) (int64, error) {
	of := site{port: int64(s.Port), scheme: s.Scheme, host: s.Host, authority: s.Authority}
	if id, known := d.sites.get(of); known {
		return id, nil
	}
	id, err := number(ctx, d.findSite, d.addSite, of.host, of.port, of.scheme, of.authority)
	if err != nil {
		return 0, fmt.Errorf("number a site: %w", err)
	}
	if of.textBytes() <= maxRecentText {
		d.sites.put(of, id)
	}
	return id, nil
}

// term returns the number of a text.
func (d *dictionary) term(ctx context.Context, text string) (int64, error) {
	if id, known := d.terms.get(text); known {
		return id, nil
	}
	id, err := number(ctx, d.findTerm, d.addTerm, text)
	if err != nil {
		return 0, fmt.Errorf("number a text: %w", err)
	}
	if len(text) <= maxRecentText {
		d.terms.put(text, id)
	}
	return id, nil
}

// number finds a row, or adds it.
func number(ctx context.Context, find, add *sql.Stmt, values ...any) (id int64, err error) {
	err = find.QueryRowContext(ctx, values...).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	added, err := add.ExecContext(ctx, values...)
	if err != nil {
		return 0, err
	}
	return added.LastInsertId()
}

// forget drops all that is remembered: a transaction that failed may have given
// numbers that are not in the file.
func (d *dictionary) forget() { d.sites, d.terms = recent[site]{}, recent[string]{} }

// recent remembers numbers of keys that were used lately, in two generations: when
// the young one is full it becomes the old one, which is forgotten but for what was
// asked for meanwhile. The zero value is empty.
type recent[K comparable] struct{ young, old map[K]int64 }

func (r *recent[K]) get(key K) (int64, bool) {
	if id, known := r.young[key]; known {
		return id, true
	}
	id, known := r.old[key]
	if known {
		r.put(key, id)
	}
	return id, known
}

func (r *recent[K]) put(key K, id int64) {
	if r.young == nil || len(r.young) >= maxRecent {
		r.young, r.old = make(map[K]int64), r.young
	}
	r.young[key] = id
}
