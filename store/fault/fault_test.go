package fault_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite" // the driver by its name

	"weir/store/fault"
)

// TestClassify says of SQLite's errors, as SQLite makes them, what they amount to.
func TestClassify(t *testing.T) {
	for name, tt := range map[string]struct {
		content   string
		statement string
		want      error // nil: nothing in particular
		code      int
	}{
		"no database": {"this is no database at all, and long enough to be taken for one: " + string(make([]byte, 100)), "SELECT * FROM sqlite_schema", fault.ErrDamaged, 26},
		"full":        {"", "PRAGMA max_page_count = 2; CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(100000))", fault.ErrFull, 13},
		"no table":    {"", "SELECT * FROM nothing", nil, fault.CodeError},
	} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = db.ExecContext(t.Context(), tt.statement)
		got := fault.Classify(err)
		if got == nil || fault.Code(got) != tt.code || tt.want != nil && !errors.Is(got, tt.want) || tt.want == nil && got != err { //nolint:errorlint // it stays as it is
			t.Errorf("%s: got %v (code %d), want code %d and %v", name, got, fault.Code(got), tt.code, tt.want)
		}
		if again := fault.Classify(got); tt.want == fault.ErrDamaged && again != got { //nolint:errorlint // nor is it said twice
			t.Errorf("%s: classified twice: got %v", name, again)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := fault.Classify(nil); err != nil {
		t.Errorf("no error: got %v", err)
	}
}
