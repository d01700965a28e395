package main

import (
	"bytes"
	"testing"
)

func TestOverflow(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s := &overflow{}
	for range 2 { // it begins anew
		places := map[int64][]byte{}
		for i := range 50 {
			p := bytes.Repeat([]byte{byte(i)}, 1+i*100)
			at, err := s.Keep(p)
			if err != nil {
				t.Fatal(err)
			}
			places[at] = p
		}
		for at, want := range places {
			got := make([]byte, len(want))
			if err := s.Fetch(at, got); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("at %d: got % x (%v), want % x", at, got[:1], err, want[:1])
			}
		}
		s.Clear()
	}
	s.end = maxOverflow - 1
	if _, err := s.Keep([]byte("xx")); err == nil {
		t.Error("more is kept than may be")
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir+"/absent")
	if _, err := (&overflow{}).Keep([]byte("x")); err == nil {
		t.Error("something is kept in a directory that is not there")
	}
}
