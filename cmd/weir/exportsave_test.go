package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	flowpb "weir/proto"
	"weir/store"
)

// What the interface saves is a file for its owner, whole or not there, with the
// flows that have a form; the session itself is never written over.
func TestSave(t *testing.T) {
	path := sessionOf(t, post("/a", []byte("x")), sent{flow: &flowpb.Flow{State: flowpb.StateComplete, Protocol: &flowpb.Flow_Tcp{Tcp: &flowpb.Stream{}}}}, post("/b", nil))
	s, err := store.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	src := &source{session: s}
	out := filepath.Join(t.TempDir(), "out.sh")
	got, err := src.Save(t.Context(), "curl", out, []uint64{1, 2, 3}, false)
	if err != nil || got.Flows != 2 || got.Left != 1 {
		t.Errorf("got %+v, %v, want 2 flows and 1 left out", got, err)
	}
	info, err := os.Stat(out)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file: %v, %v", info, err)
	}
	text, err := os.ReadFile(out)
	if err != nil || strings.Count(string(text), "curl ") != 2 || !strings.Contains(string(text), "http://a.test/b") {
		t.Errorf("the file has %q, %v", text, err)
	}
	body := filepath.Join(t.TempDir(), "body")
	if _, err := src.Save(t.Context(), "body", body, []uint64{1}, false); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(body); err != nil || string(text) != "x" {
		t.Errorf("the body: got %q, %v, want x", text, err)
	}
	for name, args := range map[string][2]string{
		"the session": {"curl", path}, "no format": {"ruby", out + "2"}, "no folder": {"har", out + "/x/y"},
	} {
		if _, err := src.Save(t.Context(), args[0], args[1], []uint64{1}, false); err == nil {
			t.Errorf("%s: it was written", name)
		}
	}
	if _, err := src.Save(t.Context(), "har", out+"3", []uint64{99}, false); err == nil {
		t.Error("a flow that is not there was written")
	}
	if _, err := os.Stat(out + "3"); err == nil {
		t.Error("a file that failed is there")
	}
}
