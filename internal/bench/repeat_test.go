package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRepeat(t *testing.T) {
	before, entries, after, err := cutEntries([]byte("{\"log\":{\"pages\":[],\"entries\":[\n{\"a\":[1]},\n{\"b\":2}\n]}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "x")
	if err := repeat(file, 60, before, entries, ",", after); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	want := "{\"log\":{\"pages\":[],\"entries\":[{\"a\":[1]},\n{\"b\":2},{\"a\":[1]},\n{\"b\":2}]}}\n"
	if err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if _, _, _, err := cutEntries([]byte("{}")); err == nil {
		t.Error("a sample without entries is taken")
	}
}
