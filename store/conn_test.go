package store

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	flowpb "weir/proto"
)

func TestConnRoundTripAndCertificatesOnce(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	leaf, root, shown := bytes.Repeat([]byte("leaf"), 300), bytes.Repeat([]byte("root"), 300), []byte("shown")
	var conns []*flowpb.Conn
	for range 3 {
		c := &flowpb.Conn{
			Side: flowpb.SideResponse, Target: &flowpb.Address{Host: []byte("example.com"), Port: 443}, StartedNs: 1,
			Tls: &flowpb.Tls{
				Version:      "TLSv1.3",
				Certificates: []*flowpb.Certificate{{Der: leaf}, {Der: root}},
				Presented:    &flowpb.Certificate{Der: shown},
			},
		}
		if err := w.Conn(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	conns[1].EndedNs = 9
	if err := w.Conn(t.Context(), conns[1]); err != nil {
		t.Fatal(err)
	}
	flush(t, w)
	for i, c := range conns {
		if c.GetId() != uint64(i+1) || !bytes.Equal(c.Tls.Certificates[0].GetDer(), leaf) {
			t.Errorf("recorded connection %d: got id %d and %d bytes of leaf, want its id and its certificate kept", i+1, c.GetId(), len(c.Tls.Certificates[0].GetDer()))
		}
		want := proto.CloneOf(c)
		for _, x := range want.AllCertificates() {
			sum := sha256.Sum256(x.Der)
			x.Sha256 = sum[:]
		}
		got, err := s.Conn(t.Context(), c.GetId())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, protocmp.Transform()); d != "" {
			t.Errorf("connection %d (-want +got):\n%s", i+1, d)
		}
	}
	var certs, largest int
	if err := s.read.QueryRow("SELECT (SELECT count(*) FROM cert), (SELECT max(length(blob)) FROM conn)").Scan(&certs, &largest); err != nil {
		t.Fatal(err)
	}
	if certs != 3 || largest > 300 {
		t.Errorf("stored: got %d certificates and connections of up to %d bytes, want 3, and connections without them", certs, largest)
	}
	if _, err := s.Conn(t.Context(), 77); !errors.Is(err, ErrNotFound) {
		t.Errorf("connection 77: got %v, want %v", err, ErrNotFound)
	}
}

// TestKnownCertificatesAreBounded sees that a writer forgets, and that what it
// forgot is stored no second time.
func TestKnownCertificatesAreBounded(t *testing.T) {
	w := &Writer{known: map[[sha256.Size]byte]struct{}{}}
	for i := range maxKnown + 10 {
		c := cert{hash: sha256.Sum256([]byte{byte(i), byte(i >> 8)})}
		if got := len(w.unknown([]cert{c})); got != 1 {
			t.Fatalf("certificate %d: got %d unknown, want 1", i, got)
		}
		if got := len(w.unknown([]cert{c})); got != 0 {
			t.Fatalf("certificate %d again: got %d unknown, want 0", i, got)
		}
		if len(w.known) > maxKnown {
			t.Fatalf("%d certificates remembered, the bound is %d", len(w.known), maxKnown)
		}
	}
}

func TestConnWithDamagedBlob(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	if err := w.Conn(t.Context(), &flowpb.Conn{}); err != nil {
		t.Fatal(err)
	}
	flush(t, w)
	if _, err := s.note.Exec("UPDATE conn SET blob = x'01ff'"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Conn(t.Context(), 1); !errors.Is(err, flowpb.ErrBlob) {
		t.Errorf("got %v, want %v", err, flowpb.ErrBlob)
	}
}
