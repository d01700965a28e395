package storetest

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	flowpb "weir/proto"
	"weir/store"
	"weir/store/rowid"
)

// Create makes an empty session and its writer.
func Create(t testing.TB, o store.WriterOptions) (*store.Session, *store.Writer) {
	t.Helper()
	s, err := store.Create(t.Context(), filepath.Join(t.TempDir(), "test.weir"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w, err := s.NewWriter(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s, w
}

// HTTPFlow is a small complete flow whose response has a body of so many bytes; 0: none.
func HTTPFlow(path string, size int) *flowpb.Flow {
	const at = 1_700_000_000_000_000_000
	response := &flowpb.Response{
		Status: 404, Reason: []byte("Not Found"), Version: []byte("HTTP/1.1"), StartedNs: at + 5, EndedNs: at + 10,
		Headers: []*flowpb.Field{{Name: []byte("Content-Type"), Value: []byte("text/html")}},
	}
	if size > 0 {
		response.Body = &flowpb.Body{State: flowpb.BodyComplete, Size: uint64(size)}
	}
	return &flowpb.Flow{
		State: flowpb.StateComplete, CreatedNs: at, Client: []byte("127.0.0.1:4242"), Server: []byte("example.com:443"),
		Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{
			Request: &flowpb.Request{
				Method: []byte("GET"), Scheme: []byte("https"), Host: []byte("example.com"), Port: 443, Authority: []byte("example.com"),
				Path: []byte(path), Version: []byte("HTTP/1.1"), StartedNs: at, EndedNs: at,
			},
			Response: response,
		}},
	}
}

// Pattern is n bytes that tell where they come from.
func Pattern(off, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		at := off + i
		p[i] = byte(at ^ at>>8 ^ at>>16)
	}
	return p
}

// Rows is what a query finds in a session, a text for each row.
func Rows(t testing.TB, s *store.Session, query string) (out []string) {
	t.Helper()
	err := rowid.Each(t.Context(), s.DB(), query, func(rows *sql.Rows) error {
		names, err := rows.Columns()
		values := make([]any, len(names))
		into := make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		err = errors.Join(err, rows.Scan(into...))
		out = append(out, fmt.Sprint(values...))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Whole opens a session that was made of others, which must be in order and have so many flows.
func Whole(t testing.TB, path string, flows uint64) *store.Session {
	t.Helper()
	s, err := store.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	problems, err := s.Verify(t.Context())
	if err != nil || len(problems) > 0 {
		t.Errorf("verify: got %v, %v, want nothing wrong", problems, err)
	}
	if n, err := s.Count(t.Context()); err != nil || n != flows {
		t.Errorf("flows: got %d, %v, want %d", n, err, flows)
	}
	return s
}
