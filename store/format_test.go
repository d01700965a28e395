package store

import (
	"os"
	"strings"
	"testing"
)

// docs/session-format.md speaks of every table and column there is.
func TestFormatIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../docs/session-format.md")
	if err != nil {
		t.Fatal(err)
	}
	s := newSession(t)
	const query = `SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
		WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%'`
	rows, err := s.read.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(doc), "`"+table+"`") {
			t.Errorf("table %s is not documented", table)
		}
		switch table {
		case "flow", "flows", "removed":
			if !strings.Contains(string(doc), "`"+column+"`") && !strings.Contains(string(doc), table+"."+column) {
				t.Errorf("column %s.%s is not documented", table, column)
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
