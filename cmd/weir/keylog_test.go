package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weir/proxy/packet/unseal"
)

// TestKeyFollower finds secrets in a file that grows, line by line, is begun again, and
// is not there at first.
func TestKeyFollower(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.txt")
	k := newKeyFollower([]string{path})
	line := func(digit string) string {
		return "CLIENT_RANDOM " + strings.Repeat(digit, 64) + " " + strings.Repeat("0", 96) + "\n"
	}
	random := func(digit byte) (r unseal.Random) {
		for i := range r {
			r[i] = digit<<4 | digit
		}
		return r
	}
	one, two, three := line("1"), line("2"), line("3")
	write := func(text string, flags int) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|flags, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		does  string
		do    func()
		digit byte
		want  bool
	}{
		{"nothing", func() {}, 1, false},
		{"write a line and a part", func() { write(one+two[:30], os.O_APPEND) }, 1, true},
		{"look for the part", func() {}, 2, false},
		{"write the rest", func() { write(two[30:], os.O_APPEND) }, 2, true},
		{"begin again", func() { write(three, os.O_TRUNC) }, 3, true},
		{"keep what was there", func() {}, 1, true},
	} {
		step.do()
		k.looked = time.Time{}
		if s, more := k.Find(random(step.digit)); (s != nil) != step.want || !more {
			t.Errorf("%s: got %v, more %v; want found %v", step.does, s, more, step.want)
		}
	}
}
