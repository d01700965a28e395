package verify_test

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	flowpb "weir/proto"
	"weir/store"
	"weir/store/body"
	"weir/store/storetest"
	"weir/store/verify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open opens a session's file as it is, past the session.
func open(t *testing.T, path string) verify.File {
	t.Helper()
	f := storetest.Open(t, path)
	return verify.File{Path: path, DB: f.DB, Bodies: f.Bodies}
}

// whole makes a session that has one of each thing, and nothing wrong.
func whole(t *testing.T) *store.Session {
	t.Helper()
	s, w := storetest.Create(t, store.WriterOptions{})
	const size = 2*body.PieceSize + 5
	f, mark := storetest.HTTPFlow("/", size), "x"
	f.ServerConn = 1
	err := errors.Join(
		w.Conn(t.Context(), &flowpb.Conn{Tls: &flowpb.Tls{Presented: &flowpb.Certificate{Der: []byte("der")}}}),
		w.Flow(t.Context(), f),
		w.Body(t.Context(), 1, flowpb.SideResponse, make([]byte, size)),
		w.Message(t.Context(), &flowpb.Message{Flow: 1, Content: []byte("hi")}),
		w.Flush(t.Context()),
	)
	if err == nil {
		_, err = s.Annotate(t.Context(), []uint64{1}, store.NoteChange{Marked: &mark})
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestVerify(t *testing.T) {
	if testing.Short() {
		t.Skip("a session for each kind of damage")
	}
	for _, c := range []struct {
		damage string
		want   []string // parts of the problems, in order
	}{
		{"SELECT 1", nil},
		{"DELETE FROM flow", []string{"head 1: has no flow", "body of flow 1: has no flow", "messages of flow 1: have no flow", "note of flow 1: has no flow"}},
		{"DELETE FROM flow; DELETE FROM head", []string{"body of flow 1: has no flow", "messages of flow 1: have no flow"}},
		{"INSERT INTO removed SELECT 5, * FROM flow", []string{"flow 1: is removed and is not"}},
		{"INSERT INTO removed SELECT 5, * FROM flow; DELETE FROM flow; DELETE FROM head", []string{"removed flow 1: has no head"}},
		{"DELETE FROM site", []string{"flow 1: is of no site"}},
		{"DELETE FROM term WHERE text = 'GET'", []string{"flow 1: has a column that stands for no text"}},
		{"DELETE FROM head", []string{"flow 1: has no head"}},
		{"UPDATE head SET blob = x'01ff'", []string{"flow 1: read flow 1: decode Flow:"}},
		{"UPDATE head SET blob = x''", []string{"flow 1: read flow 1: decode Flow: empty"}},
		{"DELETE FROM body WHERE id & 1048575 = 2", []string{"body of flow 1: side 2: 524288 bytes are stored, the head says 524293"}},
		{"DELETE FROM body WHERE id & 1048575 = 1", []string{"body of flow 1: side 2: piece 2 (bytes 524288 to 524293) does not follow piece 0 (to 262144)"}},
		{"UPDATE body SET data = x'00' WHERE id & 1048575 = 1", []string{"body of flow 1: side 2: piece 1"}},
		{"UPDATE message SET id = id + 1", []string{"messages of flow 1: number 2 follows 0"}},
		{"DELETE FROM cert", []string{"connection 1: its certificate "}},
		{"INSERT INTO head SELECT 9223372036854775807, blob FROM head", nil}, // behind all flows there can be: the walk ends
		{"DELETE FROM conn", []string{"flow 1: its connection 1 is not there"}},
		{"INSERT INTO origin VALUES (1, 9, 5)", []string{"flow 1: comes from a session that is not listed"}},
		{"INSERT INTO origin VALUES (7, 9, 5)", []string{"origin of flow 7: has no flow"}},
		{"UPDATE conn SET blob = x'02'", []string{"connection 1: decode Conn: version 2"}},
		{"UPDATE cert SET der = x'00'", []string{"certificate "}},
	} {
		t.Run(c.damage, func(t *testing.T) {
			s := whole(t)
			f := open(t, s.Path())
			if _, err := f.DB.Exec(c.damage); err != nil {
				t.Fatal(err)
			}
			problems, err := s.Verify(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if again, err := verify.Run(t.Context(), f, verify.Options{Snapshot: -1}); err != nil || !slices.Equal(again, problems) {
				t.Errorf("with a snapshot for each flow: got %v, %v, want the same as with one: %v", again, err, problems)
			}
			if len(problems) < len(c.want) || len(c.want) == 0 && len(problems) > 0 {
				t.Fatalf("problems: got %v, want %q", problems, c.want)
			}
			for i, want := range c.want {
				if got := problems[i].String(); !strings.HasPrefix(got, want) {
					t.Errorf("problem %d: got %q, want %q…", i, got, want)
				}
			}
		})
	}
}

// TestVerifyDamagedPages overwrites pages in the middle of a session.
func TestVerifyDamagedPages(t *testing.T) {
	const page = 16 << 10 // bytes
	s := whole(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for n := 1; n < len(file)/page; n++ {
		broken := bytes.Clone(file)
		copy(broken[n*page:], bytes.Repeat([]byte{0xa5}, page))
		if err := os.WriteFile(s.Path(), broken, 0o600); err != nil {
			t.Fatal(err)
		}
		damaged, err := store.Open(t.Context(), s.Path(), store.Options{ReadOnly: true})
		if err != nil {
			found++ // that is clear enough
			continue
		}
		problems, err := damaged.Verify(t.Context())
		if err != nil {
			t.Errorf("page %d: verify: %v", n+1, err)
		}
		if len(problems) > 0 {
			found++
		}
		if err := damaged.Close(); err != nil {
			t.Errorf("page %d: close: %v", n+1, err)
		}
	}
	// The content of a body is not checked by anything, and nor are free pages.
	if pages := len(file)/page - 1; found < pages/4 {
		t.Errorf("damage found: got %d of %d pages", found, pages)
	}
}

// TestVerifyDuringCapture verifies a session while its writer writes and its flows
// come and go. It finds nothing, and holds no snapshot in the end.
func TestVerifyDuringCapture(t *testing.T) {
	s, w := storetest.Create(t, store.WriterOptions{BatchDelay: time.Millisecond})
	for range 200 {
		f := storetest.HTTPFlow("/", 5)
		if err := errors.Join(w.Flow(t.Context(), f), w.Body(t.Context(), f.GetId(), flowpb.SideResponse, []byte("hello"))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	ended := make(chan error, 1)
	go func() { // ends with stop; waited for below
		var err error
		for id := uint64(1); err == nil && id <= 1000; id++ { // bounded, or the race detector never catches up
			select {
			case <-stop:
				ended <- nil
				return
			default:
			}
			f := storetest.HTTPFlow("/", 0)
			f.GetHttp().GetResponse().Body = nil
			err = w.Flow(t.Context(), f)
			if err == nil && id <= 100 {
				_, err = s.Remove(t.Context(), []uint64{id})
			}
		}
		ended <- err
	}()
	file := open(t, s.Path())
	for range 3 {
		if problems, err := verify.Run(t.Context(), file, verify.Options{Snapshot: 5 * time.Millisecond}); err != nil || len(problems) > 0 {
			t.Errorf("verify: got %v, %v, want nothing", problems, err)
		}
		if n := file.DB.Stats().InUse; n > 0 {
			t.Error("a snapshot is left open")
		}
	}
	close(stop)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}
