package store

import (
	"slices"
	"testing"
	"time"

	flowpb "weir/proto"
	"weir/store/rowid"
)

// withConns makes a session with connections that ended, each with a certificate of
// its own and one that all share, and a flow on each of them.
func withConns(t *testing.T, n int) (*Session, *Writer) {
	t.Helper()
	s, w := newWriter(t, WriterOptions{CompactAfter: -1})
	for i := range n {
		recordConn(t, w, string(rune('a'+i)), 1)
		f := httpFlow(i)
		f.ClientConn, f.GetHttp().Response.Body = uint64(i+1), nil
		record(t, w, f)
	}
	return s, w
}

func recordConn(t *testing.T, w *Writer, cert string, ended int64) {
	t.Helper()
	c := &flowpb.Conn{EndedNs: ended, Tls: &flowpb.Tls{Certificates: []*flowpb.Certificate{{Der: []byte(cert)}, {Der: []byte("shared")}}}}
	if err := w.Conn(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	flush(t, w)
}

// left are the numbers of the connections in the file, and the texts of the certificates.
func left(t *testing.T, s *Session) (conns []uint64, certs []string) {
	t.Helper()
	conns, err := rowid.Select(t.Context(), s.read, "SELECT id FROM conn ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := s.read.QueryContext(t.Context(), "SELECT CAST(der AS TEXT) FROM cert ORDER BY der")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var c string
		if err := rows.Scan(&c); err != nil {
			t.Fatal(err)
		}
		certs = append(certs, c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return conns, certs
}

func checkLeft(t *testing.T, s *Session, conns []uint64, certs ...string) {
	t.Helper()
	gotConns, gotCerts := left(t, s)
	if !slices.Equal(gotConns, conns) || !slices.Equal(gotCerts, certs) {
		t.Errorf("left: got connections %v, certificates %v, want %v, %v", gotConns, gotCerts, conns, certs)
	}
}

func TestDropOrphans(t *testing.T) {
	s, w := withConns(t, 3)
	recordConn(t, w, "d", 0)                            // still open
	recordConn(t, w, "e", time.Now().UnixNano())        // ended just now
	recordConn(t, w, "f", time.Now().UnixNano()-3600e9) // never used
	recordConn(t, w, "g", 1)                            // the highest
	if _, err := s.Drop(t.Context(), []uint64{1}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Remove(t.Context(), []uint64{2}); err != nil { // can come back
		t.Fatal(err)
	}
	if err := w.dropOrphans(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	checkLeft(t, s, []uint64{2, 3, 4, 5, 7}, "b", "c", "d", "e", "g", "shared")
	// A certificate that went is written again when it comes again.
	recordConn(t, w, "a", 1)
	checkLeft(t, s, []uint64{2, 3, 4, 5, 7, 8}, "a", "b", "c", "d", "e", "g", "shared")
	if _, err := s.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.dropOrphans(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	checkLeft(t, s, []uint64{3, 4, 5, 8}, "a", "c", "d", "e", "shared")
	if problems, err := s.Verify(t.Context()); err != nil || len(problems) > 0 {
		t.Errorf("verify: %v %v", problems, err)
	}
}

// TestOrphansThatAreNamedMeanwhile records a flow on an unused connection after the
// flows were looked through.
func TestOrphansThatAreNamedMeanwhile(t *testing.T) {
	s, w := withConns(t, 3)
	if _, err := s.Drop(t.Context(), []uint64{1, 2}); err != nil {
		t.Fatal(err)
	}
	since, err := s.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o := &orphans{w: w, s: s, used: bits{}, bound: 3, since: since}
	if err := o.markConns(t.Context()); err != nil {
		t.Fatal(err)
	}
	late := httpFlow(4)
	late.ServerConn, late.GetHttp().Response.Body = 2, nil
	record(t, w, late)
	if err := o.dropConns(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	checkLeft(t, s, []uint64{2, 3}, "a", "b", "c", "shared")
}

// TestRetentionDropsOrphans sees that what flows leave behind goes, too.
func TestRetentionDropsOrphans(t *testing.T) {
	s, w := withConns(t, 5)
	k := newRetainer(s, Retention{Flows: 1})
	k.w, k.dropped = w, orphansAfter
	done := retainAll(t, k)
	if err := k.tidy(t.Context(), done.Dropped()); err != nil {
		t.Fatal(err)
	}
	checkLeft(t, s, []uint64{5}, "e", "shared")
}

func TestBits(t *testing.T) {
	b, want := bits{}, map[uint64]bool{0: true, 63: true, 64: true, 4095: true, 4096: true, 1<<63 + 5: true}
	for n := range want {
		b.add(n)
	}
	for n := range uint64(9000) {
		if b.has(n) != want[n] {
			t.Errorf("%d: got %v, want %v", n, b.has(n), want[n])
		}
	}
	if !b.has(1<<63+5) || b.has(1<<63) {
		t.Error("high numbers are mixed up")
	}
}
