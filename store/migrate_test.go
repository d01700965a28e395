package store

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	flowpb "weir/proto"
)

// samples are the kept sessions, one a format. UPDATE_SAMPLE=1 rewrites the one of
// the present format, which is only right until that format is released.
func sample(format string) string { return filepath.Join("testdata", "format"+format+".weir.gz") }

// TestSamples opens a session of every format there has been.
func TestSamples(t *testing.T) {
	if os.Getenv("UPDATE_SAMPLE") != "" {
		writeSample(t, sample("1"))
	}
	for _, format := range []string{"1"} {
		t.Run(format, func(t *testing.T) {
			s, err := Open(t.Context(), unpack(t, sample(format)), Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if v, err := userVersion(t.Context(), s.read); err != nil || v != formatVersion {
				t.Errorf("format after opening: got %d, %v, want %d", v, err, formatVersion)
			}
			checkSample(t, s)
		})
	}
}

// sampleFlow is what every sample holds as flow 1.
func sampleFlow() *flowpb.Flow {
	f := httpFlow(1)
	f.ClientConn = 1
	return f
}

// writeSample makes a small session with a row in every table.
func writeSample(t *testing.T, to string) {
	s, w := newWriter(t, WriterOptions{})
	c := &flowpb.Conn{Tls: &flowpb.Tls{Presented: &flowpb.Certificate{Der: []byte("certificate")}}}
	if err := w.Conn(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := w.Flow(t.Context(), sampleFlow()); err != nil {
		t.Fatal(err)
	}
	if err := w.Body(t.Context(), 1, flowpb.SideResponse, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := w.Message(t.Context(), &flowpb.Message{Flow: 1, Type: flowpb.MessageText, Content: []byte("hi")}); err != nil {
		t.Fatal(err)
	}
	flush(t, w)
	mark, tags := "x", []string{"a", "b"}
	if _, err := s.Annotate(t.Context(), []uint64{1}, NoteChange{Marked: &mark, Tags: &tags}); err != nil {
		t.Fatal(err)
	}
	if err := s.SetState(t.Context(), "view", []byte("state")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(file); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(z.Close(), os.WriteFile(to, packed.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func unpack(t *testing.T, from string) string {
	t.Helper()
	packed, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	z, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	file, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "sample.weir")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func checkSample(t *testing.T, s *Session) {
	t.Helper()
	ctx := t.Context()
	want := sampleFlow()
	want.Id = 1
	if got, err := s.Flow(ctx, 1); err != nil || !proto.Equal(got, want) {
		t.Errorf("flow: got %v, %v, want %v", got, err, want)
	}
	rows, err := s.Rows(ctx, []uint64{1})
	if err != nil || len(rows) != 1 || rows[0].Status != 404 || rows[0].Marked != "x" || len(rows[0].Tags) != 2 {
		t.Errorf("rows: got %+v, %v, want one 404, marked, with two tags", rows, err)
	}
	b, err := s.Body(ctx, 1, flowpb.SideResponse)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(b.NewReader(ctx)); err != nil || string(got) != "hello" {
		t.Errorf("body: got %q, %v, want hello", got, err)
	}
	if ms, err := s.Messages(ctx, 1, 1, 9); err != nil || len(ms) != 1 || string(ms[0].GetContent()) != "hi" {
		t.Errorf("messages: got %v, %v, want hi", ms, err)
	}
	if c, err := s.Conn(ctx, 1); err != nil || string(c.GetTls().GetPresented().GetDer()) != "certificate" {
		t.Errorf("connection: got %v, %v, want one with its certificate", c, err)
	}
	if got, err := s.State(ctx, "view"); err != nil || string(got) != "state" {
		t.Errorf("state: got %q, %v, want state", got, err)
	}
	if problems, err := s.Verify(ctx); err != nil || len(problems) > 0 {
		t.Errorf("verify: got %v, %v, want nothing", problems, err)
	}
}

// TestMigrate runs migrations that are not there yet: two steps, the second of
// which fails at first.
func TestMigrate(t *testing.T) {
	s := newSession(t)
	ctx := t.Context()
	good := migration("CREATE TABLE added (x INTEGER); INSERT INTO added VALUES (5)")
	bad := migration("INSERT INTO added VALUES (6); INSERT INTO nowhere VALUES (7)")
	if err := migrate(ctx, s.note, []migration{good, bad}); err == nil {
		t.Error("a migration that fails: got nil, want an error")
	}
	expect := func(version, sum int) {
		t.Helper()
		var got int
		v, err := userVersion(ctx, s.read)
		if err = errors.Join(err, s.read.QueryRow("SELECT sum(x) FROM added").Scan(&got)); err != nil || v != version || got != sum {
			t.Errorf("got format %d and sum %d, %v, want %d and %d", v, got, err, version, sum)
		}
	}
	expect(2, 5) // the first step stands, of the second there is nothing
	better := migration("INSERT INTO added VALUES (6)")
	if err := migrate(ctx, s.note, []migration{good, better}); err != nil {
		t.Fatal(err)
	}
	expect(3, 11)
	if err := migrate(ctx, s.note, []migration{good, better}); err != nil {
		t.Fatal(err)
	}
	expect(3, 11) // nothing is done twice
}

// TestMigrationsLeadToThePresentFormat sees that no step was forgotten.
func TestMigrationsLeadToThePresentFormat(t *testing.T) {
	if got := len(migrations) + 1; got != formatVersion {
		t.Errorf("the migrations lead to format %d, this weir writes %d", got, formatVersion)
	}
}
