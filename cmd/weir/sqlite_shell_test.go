package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"weir/cmd/weir/internal/contract"
	flowpb "weir/proto"
	"weir/store"
	"weir/store/seed"
)

// need skips the test where a tool is not installed; CI sets WEIR_E2E_REQUIRED, which
// makes that a failure.
func need(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		if os.Getenv("WEIR_E2E_REQUIRED") != "" {
			t.Fatalf("%s is not installed, and WEIR_E2E_REQUIRED is set", tool)
		}
		t.Skipf("%s is not installed", tool)
	}
}

// shellOf asks the stock shell, as docs/session-format.md says.
func shellOf(t *testing.T, path, query string, flags ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sqlite3", append(flags, "file:"+path+"?mode=ro", query)...)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("sqlite3 %s: %v: %s", query, err, problems.String())
	}
	return string(out)
}

// The view flows says in the stock shell what weir query says.
func TestShellReadsFlows(t *testing.T) {
	need(t, "sqlite3")
	path := filepath.Join(t.TempDir(), "s.weir")
	if err := seedSession(t.Context(), path, seed.Options{Flows: 500, BodySize: 100}); err != nil {
		t.Fatal(err)
	}
	annotateSome(t, path)
	var out bytes.Buffer
	if code := run(t.Context(), []string{"query", path, "--format", "json", "--columns", strings.Join(contract.Columns, ",")}, stdio{in: os.Stdin, out: &out, err: io.Discard}); code != 0 {
		t.Fatalf("weir query: exit code %d", code)
	}
	var want []map[string]any
	for line := range strings.Lines(out.String()) {
		var row map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		row["failed"] = 0.0
		if row["error"] != nil {
			row["failed"] = 1.0
		}
		row["tags"] = joinedTags(row["tags"])
		delete(row, "error")   // in the head
		delete(row, "reason")  // in the head
		delete(row, "session") // in the name of the file
		want = append(want, row)
	}
	var got []map[string]any
	if err := json.Unmarshal([]byte(shellOf(t, path, "SELECT * FROM flows ORDER BY id", "-json")), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 500 {
		t.Fatalf("flows: got %d, want 500", len(got))
	}
	there := slices.Sorted(maps.Keys(got[0]))
	for _, row := range got {
		delete(row, "ttfb_ms") // the view's own
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("flows (-weir query +sqlite3):\n%s", diff)
	}
	documented := "agent,client,comment,content_type,duration_ms,failed,host,http_version,id,kind,marked,method,path,port,replay," +
		"request_size,response_size,scheme,server,started_at,state,status,tags,ttfb_ms,uid,url"
	if diff := cmp.Diff(strings.Split(documented, ","), there); diff != "" {
		t.Errorf("columns of the view (-documented +there):\n%s", diff)
	}
}

// joinedTags writes query's list of tags as the view does.
func joinedTags(list any) any {
	var names []string
	for _, tag := range list.([]any) {
		names = append(names, fmt.Sprint(tag))
	}
	if len(names) == 0 {
		return nil
	}
	return strings.Join(names, ",")
}

// annotateSome marks, comments and removes flows.
func annotateSome(t *testing.T, path string) {
	t.Helper()
	s, err := store.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w, err := s.NewWriter(t.Context(), store.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// Hosts and ports that make odd URLs.
	for _, q := range []*flowpb.Request{
		{Method: []byte("GET"), Scheme: []byte("https"), Host: []byte("::1"), Port: 8443, Path: []byte("/a?b=%20")},
		{Method: []byte("GET"), Scheme: []byte("http"), Host: []byte("10.0.0.1"), Port: 80, Authority: []byte("name.example:81"), Path: []byte("/")},
		{Method: []byte("GET"), Scheme: []byte("http"), Host: []byte("plain.example"), Port: 443, Path: []byte("/")},
		{Method: []byte("CONNECT")},
	} {
		f := &flowpb.Flow{State: flowpb.StateComplete, CreatedNs: 1, Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{Request: q}}}
		if err := w.Flow(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	mark, comment, tags := ":default:", "it's slow\nand odd", []string{"b", "a"}
	if _, err := s.Annotate(t.Context(), []uint64{3, 4}, store.NoteChange{Marked: &mark, Comment: &comment, Tags: &tags}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Remove(t.Context(), []uint64{1, 2, 10, 11}); err != nil {
		t.Fatal(err)
	}
}

// A body comes out of the stock shell as the documentation says.
func TestShellReadsBody(t *testing.T) {
	need(t, "sqlite3")
	path := filepath.Join(t.TempDir(), "s.weir")
	s, err := store.Create(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w, err := s.NewWriter(t.Context(), store.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for range 12 {
		if err := w.Flow(t.Context(), &flowpb.Flow{Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{}}}); err != nil {
			t.Fatal(err)
		}
	}
	want := bytes.Repeat([]byte("a body of several pieces\x00\xff"), 40_000)
	for _, side := range []flowpb.Side{flowpb.SideRequest, flowpb.SideResponse} {
		if err := w.Body(t.Context(), 12, side, want[int(side):]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(t.Context()); err != nil { // and the session stays open: a capture at work
		t.Fatal(err)
	}
	digits := shellOf(t, path, "SELECT hex(data) FROM body WHERE id BETWEEN (12*8+2)*1048576 AND (12*8+2)*1048576+1048575 ORDER BY id")
	got, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want[flowpb.SideResponse:]) {
		t.Errorf("body: got %d bytes, want %d", len(got), len(want)-int(flowpb.SideResponse))
	}
}
