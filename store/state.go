package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// maxState bounds what one name keeps, in bytes.
const maxState = 1 << 20

// State returns the view state kept under name, nil where there is none.
func (s *Session) State(ctx context.Context, name string) ([]byte, error) {
	var value []byte
	err := s.read.QueryRowContext(ctx, "SELECT value FROM state WHERE name = ?", name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read state %q: %w", name, classify(err))
	}
	return notNil(value), nil
}

// SetState keeps value, at most 1 MB, under name with the session; nil removes it.
func (s *Session) SetState(ctx context.Context, name string, value []byte) error {
	if len(value) > maxState {
		return fmt.Errorf("write state %q: %d bytes: %w", name, len(value), ErrLimit)
	}
	err := s.update(ctx, func(tx *sql.Tx) (err error) {
		if value == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM state WHERE name = ?", name)
		} else {
			_, err = tx.ExecContext(ctx, "INSERT OR REPLACE INTO state (name, value) VALUES (?, ?)", name, notNil(value))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("write state %q: %w", name, err)
	}
	return nil
}

// notNil keeps an empty value from becoming NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
