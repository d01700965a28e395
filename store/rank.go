package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"weir/store/upcall"
)

// table is a small table whose index has its texts in their order.
type table struct{ name, text string }

var (
	terms = table{"term", "text"}
	hosts = table{"site", "host"}
)

// ranks are the places of a small table's rows in the order of their texts, by
// number; equal texts have one place, from 1 on. 0 is that of no row.
type ranks []uint32

// maxRanks bounds ranks, to 16 MB: where there are more rows, sorts read texts.
const maxRanks = 4 << 20

// ranks reads a table's ranks, nil if there are more than most. The index hands the texts
// over in order, so that none has to be held.
func (s *Session) ranks(ctx context.Context, t table, most int64) (ranks, error) {
	var top int64
	if err := s.read.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM "+t.name).Scan(&top); err != nil {
		return nil, fmt.Errorf("rank %ss: %w", t.name, classify(err))
	}
	if top > most {
		return nil, nil
	}
	all := make(ranks, top+1)
	var place uint32
	var last string
	row := func(row []driver.Value) error {
		text, _ := row[1].(string)
		switch {
		case place == 0 || text > last:
			place++
			last = strings.Clone(text)
		case text < last:
			return errors.New("texts do not come in order")
		}
		if id, _ := row[0].(int64); id > 0 && id <= top { // others came meanwhile
			all[id] = place
		}
		return nil
	}
	// The function's 0 keeps the row from coming out.
	query := "SELECT 1 FROM " + t.name + " WHERE " + upcall.Collect + "(?, id, " + t.text + ") ORDER BY " + t.text
	if err := s.stream(ctx, s.read, nil, row, func(token int64) (string, []any) { return query, []any{token} }); err != nil {
		return nil, fmt.Errorf("rank %ss: %w", t.name, err)
	}
	return all, nil
}

// of is the rank of a number, 0 if it has none: its row came after the ranks were
// read, and then the change log has the flow, or the file is damaged.
func (r ranks) of(number driver.Value) uint64 {
	n, _ := number.(int64)
	if n <= 0 || n >= int64(len(r)) {
		return 0
	}
	return uint64(r[n])
}
