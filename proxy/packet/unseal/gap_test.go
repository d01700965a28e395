package unseal

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// lossy feeds a recording to a Conn and leaves a range out of what one side says, told
// as one gap.
func lossy(t testing.TB, c *Conn, said []piece, from, at, n int) string {
	t.Helper()
	var l listener
	place, told := 0, false
	feed := func(from int, p []byte, time int64) {
		if err := c.Feed(from, p, time, l.take); err != nil {
			t.Fatal(err)
		}
	}
	for i, s := range said {
		p := s.p
		if s.from == from {
			begin, end := min(max(at-place, 0), len(p)), min(max(at+n-place, 0), len(p))
			place += len(p)
			if end > begin {
				feed(from, p[:begin], int64(i))
				if !told {
					told = true
					if err := c.Gap(from, int64(n), int64(i), l.take); err != nil {
						t.Fatal(err)
					}
				}
				p = p[end:]
			}
		}
		feed(s.from, p, int64(i))
	}
	if err := c.Close(int64(len(said)), l.take); err != nil {
		t.Fatal(err)
	}
	return l.String()
}

// records returns the places where the records of a side begin.
func records(said []piece, from int) (places []int, all []byte) {
	for _, s := range said {
		if s.from == from {
			all = append(all, s.p...)
		}
	}
	for at := 0; at < len(all); at += recordSize(all[at:]) {
		places = append(places, at)
	}
	return places, all
}

// TestGaps loses parts of what the server says and finds what follows.
func TestGaps(t *testing.T) {
	lines := []string{"one", "two", "three", "four", "five", "six", "seven"}
	for _, cfg := range []*tls.Config{
		{MinVersion: tls.VersionTLS13},
		{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}},
		{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256}},
		{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA256}},
		{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS11, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_256_CBC_SHA}},
	} {
		version, suites := cfg.MaxVersion, cfg.CipherSuites
		t.Run(fmt.Sprintf("%x %x", version, suites), func(t *testing.T) {
			var rec recording
			config := func() *tls.Config {
				return &tls.Config{MinVersion: cfg.MinVersion, MaxVersion: version, CipherSuites: suites}
			}
			converse(t, &rec, config(), config(), lines...)
			places, all := records(rec.said, 1)
			n := len(places)
			if bytes.Contains(all, []byte("ONE")) {
				t.Fatal("nothing is encrypted")
			}
			exact := len(suites) == 0 || suites[0] != tls.TLS_RSA_WITH_AES_128_CBC_SHA256 && suites[0] != tls.TLS_RSA_WITH_AES_256_CBC_SHA
			for _, c := range []struct {
				name     string
				from, to int // where the loss is
				missing  string
				length   int
			}{
				{"inside a record", places[n-3] + 7, places[n-3] + 9, "FIVE", 4},
				{"one record", places[n-4], places[n-3], "FOUR", 4},
				{"a header", places[n-4], places[n-4] + 5, "FOUR", 4},
				{"from one into another", places[n-4] + 8, places[n-2] + 6, "FOURFIVESIX", 11},
			} {
				got := lossy(t, conn(rec.keys.String()), rec.said, 1, c.from, c.to-c.from)
				want := []string{fmt.Sprintf("[%d missing]", c.length), "SEVEN"}
				if !exact {
					want[0] = "[0 missing]"
				}
				for _, line := range lines {
					if strings.Contains(c.missing, strings.ToUpper(line)) {
						if strings.Contains(got, strings.ToUpper(line)) {
							t.Errorf("%s: got %q, which was not captured", c.name, got)
						}
					} else {
						want = append(want, strings.ToUpper(line))
					}
				}
				for _, w := range want {
					if !strings.Contains(got, w) {
						t.Errorf("%s: got %q, want it to have %q", c.name, got, w)
					}
				}
			}
		})
	}
}

// TestAnyGap loses anything anywhere: what is told was said, in its order, and is
// never told twice.
func TestAnyGap(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS12, tls.VersionTLS13} {
		var rec recording
		converse(t, &rec, &tls.Config{MinVersion: version, MaxVersion: version}, &tls.Config{MinVersion: version}, "one", "two", "three", "four")
		keys := rec.keys.String()
		rapid.Check(t, func(r *rapid.T) {
			from := rapid.IntRange(0, 1).Draw(r, "side")
			_, all := records(rec.said, from)
			at := rapid.IntRange(0, len(all)-1).Draw(r, "place")
			n := rapid.IntRange(1, len(all)-at).Draw(r, "length")
			got := lossy(t, conn(keys), rec.said, from, at, n)
			var told strings.Builder
			for _, line := range strings.Split(got, "\n") {
				if strings.HasPrefix(line, "><"[from:from+1]) && !strings.ContainsAny(line, "[:") && !strings.HasSuffix(line, "sealed") {
					told.WriteString(line[2:])
				}
			}
			said := "onetwothreefour"
			if from == 1 {
				said = strings.ToUpper(said)
			}
			if !isSubsequence(told.String(), said) {
				r.Fatalf("got %q of %q", told.String(), said)
			}
		})
	}
}

func isSubsequence(part, whole string) bool {
	for _, c := range part {
		i := strings.IndexRune(whole, c)
		if i < 0 {
			return false
		}
		whole = whole[i+1:]
	}
	return true
}

// TestHostileHunt sees that looking for a record costs no more than it may.
func TestHostileHunt(t *testing.T) {
	var rec recording
	converse(t, &rec, &tls.Config{}, &tls.Config{}, "one")
	c := conn(rec.keys.String())
	hear(t, c, rec.said)
	var l listener
	junk := bytes.Repeat([]byte("\x17\x03\x03\x40\x00"), 64<<10)
	for range 4 {
		if err := c.Gap(1, 1<<20, 0, l.take); err != nil {
			t.Fatal(err)
		}
		if err := c.Feed(1, junk, 0, l.take); err != nil {
			t.Fatal(err)
		}
	}
	if c.work < -maxRecord || !c.sides[1].lost || len(c.sides[1].buf) > 0 {
		t.Errorf("%d bytes of work are left, the side is lost: %v, %d bytes are held", c.work, c.sides[1].lost, len(c.sides[1].buf))
	}
}
