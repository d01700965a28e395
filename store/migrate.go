package store

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"

	"github.com/google/uuid"

	"weir/store/rowid"
)

//go:embed schema.sql
var schema string

// formatVersion is the format this weir writes, kept in the file's user_version.
const formatVersion = 1

// A migration brings a file from the format before to the one its place in the
// list says, in SQL. Migrations only go forward; a kept sample of each format is
// in testdata.
type migration string

// migrations[i] leads from format i+1 to format i+2.
var migrations = []migration{}

// migrate brings the file of db up to date, a format at a time, each in a
// transaction of its own: what was interrupted goes on at the next opening.
func migrate(ctx context.Context, db *sql.DB, all []migration) error {
	for {
		done, err := step(ctx, db, all)
		if err != nil || done {
			return err
		}
	}
}

// step runs the next migration that the file needs. The version is read inside
// the transaction, for another process may be at it too.
func step(ctx context.Context, db *sql.DB, all []migration) (done bool, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	version, err := userVersion(ctx, tx)
	if err != nil {
		return false, err
	}
	if version > len(all) {
		return true, nil
	}
	if version < 1 {
		return false, fmt.Errorf("format %d: %w", version, ErrDamaged)
	}
	if _, err := tx.ExecContext(ctx, string(all[version-1])); err != nil {
		return false, fmt.Errorf("migrate from format %d: %w", version, err)
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version+1)); err != nil {
		return false, fmt.Errorf("migrate from format %d: %w", version, err)
	}
	return false, tx.Commit()
}

func userVersion(ctx context.Context, q rowid.Querier) (version int, err error) {
	err = q.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version)
	return version, err
}

// build lays out a new file. It ends in WAL mode, unless it is to be filled in bulk,
// with nothing in a -wal file, so that the header on disk says all that sniff asks of it.
func build(ctx context.Context, db *sql.DB, id uuid.UUID, created int64, o Options) error {
	before := fmt.Sprintf("PRAGMA page_size = %d; PRAGMA auto_vacuum = INCREMENTAL;", PageSize)
	if _, err := db.ExecContext(ctx, before); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	self := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, formatVersion)
	if _, err := tx.ExecContext(ctx, schema+self); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO session (key, value) VALUES ('uuid', ?), ('created', ?), ('creator', ?)",
		id[:], created, o.Creator)
	if err != nil {
		return err
	}
	if err := tx.Commit(); err != nil || o.Bulk {
		return err
	}
	return useWAL(ctx, db)
}

// useWAL puts a file into WAL mode, in which it may be already.
func useWAL(ctx context.Context, db rowid.Querier) error {
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("the file system offers no write-ahead log, only %q", mode)
	}
	return nil
}
