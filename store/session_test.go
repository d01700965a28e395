package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCreate(t *testing.T) {
	s := newSession(t)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(s.Path() + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("mode of the session's %q file: got %o, want 600", suffix, got)
		}
	}
	for pragma, want := range map[string]string{
		"application_id": "2003134834", "user_version": "1", "page_size": "16384", "auto_vacuum": "2", "journal_mode": "wal",
	} {
		var got string
		if err := s.read.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", pragma, got, err, want)
		}
	}
	if _, err := Create(t.Context(), s.Path(), Options{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("create where a file is: got %v, want %v", err, fs.ErrExist)
	}
	if _, err := Create(t.Context(), s.Path()+"2", Options{ReadOnly: true}); !errors.Is(err, ErrReadOnly) {
		t.Errorf("create read-only: got %v, want %v", err, ErrReadOnly)
	}
	if _, err := Create(t.Context(), filepath.Join(t.TempDir(), "no", "such"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("create in no directory: got %v, want %v", err, fs.ErrNotExist)
	}
}

func TestSynchronous(t *testing.T) {
	for want, o := range map[int]Options{2: {}, 1: {Synchronous: SyncNormal}} {
		s, err := Create(t.Context(), filepath.Join(t.TempDir(), "a.weir"), o)
		if err != nil {
			t.Fatal(err)
		}
		w, err := s.NewWriter(t.Context(), WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var points, note int
		err = errors.Join(w.tape.points.db.QueryRow("PRAGMA synchronous").Scan(&points),
			s.note.QueryRow("PRAGMA synchronous").Scan(&note))
		if err != nil || points != want || note != want {
			t.Errorf("synchronous for %+v: got %d and %d, %v, want %d", o, points, note, err, want)
		}
		// The writer's own transactions are synced apart from SQLite.
		if synced := w.tape.wal != nil; synced != (o.Synchronous == SyncFull) {
			t.Errorf("the writer syncs the -wal file for %+v: got %v", o, synced)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestReopen(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1), httpFlow(2))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := listing(t, filepath.Dir(s.Path())); got != "test.weir" {
		t.Errorf("files after Close: got %q, want the session alone", got)
	}
	again, err := Open(t.Context(), s.Path(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if again.UUID() != s.UUID() {
		t.Errorf("uuid: got %x, want %x", again.UUID(), s.UUID())
	}
	w, err = again.NewWriter(t.Context(), WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	f := httpFlow(3)
	record(t, w, f)
	if f.GetId() != 3 {
		t.Errorf("id after reopening: got %d, want 3", f.GetId())
	}
}

// TestOpenRefuses opens what cannot be opened and sees that nothing is touched.
func TestOpenRefuses(t *testing.T) {
	s := newSession(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	session, err := os.ReadFile(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	patch := func(at int, b ...byte) []byte {
		p := bytes.Clone(session)
		copy(p[at:], b)
		return p
	}
	for _, c := range []struct {
		name string
		data []byte
		want error
		says string
	}{
		{"empty", nil, ErrNotSession, "the file is empty"},
		{"text", []byte("once upon a time\n"), ErrNotSession, "not a weir session"},
		{"one byte", []byte("S"), ErrNotSession, "not a weir session"},
		{"zeros", make([]byte, 4096), ErrNotSession, "not a weir session"},
		{"another program's database", patch(68, 0, 0, 0, 1), ErrNotSession, "another program's database"},
		{"newer format", patch(60, 0, 0, 0, 9), ErrNewer, "format 9, this weir reads up to 1"},
		{"header only", session[:60], ErrDamaged, "cut off in its header"},
		{"cut short", session[:len(session)-PageSize], ErrDamaged, "where its header says"},
		{"format zero", patch(60, 0, 0, 0, 0), ErrDamaged, "format 0"},
		{"negative format", patch(60, 0xff, 0xff, 0xff, 0xff), ErrDamaged, "format -1"},
		{"schema overwritten", patch(100, bytes.Repeat([]byte{0xa5}, 4000)...), ErrDamaged, "damaged session"},
		{"page size nonsense", patch(16, 0x12, 0x34), ErrDamaged, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.weir")
			if err := os.WriteFile(path, c.data, 0o600); err != nil {
				t.Fatal(err)
			}
			before := footprint(t, path)
			for _, o := range []Options{{}, {ReadOnly: true}} {
				s, err := Open(t.Context(), path, o)
				if err == nil {
					_ = s.Close()
				}
				if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
					t.Errorf("open %+v: got %v, want %v with %q and the path", o, err, c.want, c.says)
				}
			}
			if after := footprint(t, path); after != before {
				t.Errorf("the refused file was touched:\ngot  %+v\nwant %+v", after, before)
			}
		})
	}
}

func TestOpenRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]error{
		dir: ErrNotSession, filepath.Join(dir, "missing"): fs.ErrNotExist, os.DevNull: ErrNotSession,
	} {
		if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, want) || !strings.Contains(err.Error(), path) {
			t.Errorf("open %s: got %v, want %v and the path", path, err, want)
		}
	}
	if got := listing(t, dir); got != "" {
		t.Errorf("files made: %s", got)
	}
	if os.Getuid() == 0 {
		return // nothing is forbidden to root
	}
	path := filepath.Join(dir, "secret")
	if err := os.WriteFile(path, []byte("x"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("open without permission: got %v, want %v", err, fs.ErrPermission)
	}
}

// TestReadOnly opens a session that must not or cannot be written, with and
// without commits left in a -wal file by a writer that was killed.
func TestReadOnly(t *testing.T) {
	for _, c := range []struct {
		name     string
		options  Options
		mode     fs.FileMode
		leftover bool
	}{
		{"asked for", Options{ReadOnly: true}, 0o600, false},
		{"asked for, with commits left over", Options{ReadOnly: true}, 0o600, true},
		{"file without write permission", Options{}, 0o400, false},
		{"file without write permission, with commits left over", Options{}, 0o400, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := copySession(t, c.leftover)
			if err := os.Chmod(path, c.mode); err != nil {
				t.Fatal(err)
			}
			before := footprint(t, path)
			s, err := Open(t.Context(), path, c.options)
			if err != nil {
				t.Fatal(err)
			}
			if !s.ReadOnly() {
				t.Error("ReadOnly: got false, want true")
			}
			if _, err := s.Flow(t.Context(), 1); err != nil {
				t.Errorf("read: %v", err)
			}
			mark := "x"
			_, annotate := s.Annotate(t.Context(), []uint64{1}, NoteChange{Marked: &mark})
			_, unmark := s.Unmark(t.Context())
			_, writer := s.NewWriter(t.Context(), WriterOptions{})
			for what, err := range map[string]error{
				"Annotate": annotate, "Unmark": unmark, "NewWriter": writer, "SetState": s.SetState(t.Context(), "a", nil),
			} {
				if !errors.Is(err, ErrReadOnly) {
					t.Errorf("%s: got %v, want %v", what, err, ErrReadOnly)
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			after := footprint(t, path)
			after.files = strings.Replace(after.files, " x.weir-shm", "", 1) // only an index of the -wal file
			if after != before {
				t.Errorf("the session was touched:\ngot  %+v\nwant %+v", after, before)
			}
		})
	}
}

// TestOpenSeesNewerFormatInWAL opens a session that a newer weir migrated, but was
// killed before that reached the file itself.
func TestOpenSeesNewerFormatInWAL(t *testing.T) {
	path := copySessionAfter(t, func(s *Session) {
		if _, err := s.note.Exec("PRAGMA user_version = 77"); err != nil {
			t.Fatal(err)
		}
	})
	if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, ErrNewer) {
		t.Errorf("got %v, want %v", err, ErrNewer)
	}
}

// TestOpenRefusesASessionWithoutItsTables opens files that are ours by their header only.
func TestOpenRefusesASessionWithoutItsTables(t *testing.T) {
	for _, damage := range []string{
		"DROP TABLE session",
		"DELETE FROM session",
		"DELETE FROM session WHERE key = 'created'",
		"UPDATE session SET value = 'never' WHERE key = 'created'",
		"UPDATE session SET value = x'00' WHERE key = 'uuid'",
	} {
		path := copySessionAfter(t, func(s *Session) {
			if _, err := s.note.Exec(damage); err != nil {
				t.Fatal(err)
			}
		})
		if s, err := Open(t.Context(), path, Options{}); !errors.Is(err, ErrDamaged) {
			t.Errorf("open after %s: got %v, %v, want %v", damage, s, err, ErrDamaged)
		}
	}
}

func TestOpenAfterClose(t *testing.T) {
	s := newSession(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := s.NewWriter(t.Context(), WriterOptions{}); !errors.Is(err, ErrClosed) {
		t.Errorf("writer of a closed session: got %v, want %v", err, ErrClosed)
	}
	if _, err := s.Wait(t.Context(), 0); !errors.Is(err, ErrClosed) {
		t.Errorf("wait on a closed session: got %v, want %v", err, ErrClosed)
	}
}

// FuzzJudge feeds file headers to the check that runs before SQLite sees a file.
func FuzzJudge(f *testing.F) {
	h := make([]byte, headerSize)
	copy(h, "SQLite format 3\x00")
	binary.BigEndian.PutUint32(h[68:], applicationID)
	f.Add(h, int64(100), false)
	f.Add([]byte("SQLite format 3"), int64(15), true)
	f.Fuzz(func(t *testing.T, h []byte, size int64, wal bool) {
		if len(h) > headerSize {
			h = h[:headerSize]
		}
		err := judge(h, size, wal)
		if err == nil && (len(h) < headerSize || binary.BigEndian.Uint32(h[68:]) != applicationID) {
			t.Errorf("judge(%q, %d, %v): got nil for what is no session", h, size, wal)
		}
	})
}

// copySession makes a session with one flow and copies it, with what stands in its
// -wal file only if leftover is set, to a directory of its own.
func copySession(t *testing.T, leftover bool) string {
	t.Helper()
	return copySessionAfter(t, func(s *Session) {
		w, err := s.NewWriter(t.Context(), WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		record(t, w, httpFlow(1))
		if leftover {
			return
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// copySessionAfter copies a session's file, and its -wal file if there is one.
func copySessionAfter(t *testing.T, change func(*Session)) string {
	t.Helper()
	s := newSession(t)
	change(s)
	path := filepath.Join(t.TempDir(), "x.weir")
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(s.Path() + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path+suffix, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// trace is what touching a file would change.
type trace struct {
	content string
	changed int64 // ns
	mode    fs.FileMode
	files   string
}

func footprint(t *testing.T, path string) trace {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return trace{content: string(b), changed: info.ModTime().UnixNano(), mode: info.Mode(), files: listing(t, filepath.Dir(path))}
}

func listing(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}
