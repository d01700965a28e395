package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"weir/proxy/packet/pcap"
	"weir/proxy/packet/pcapfilter"
)

// TestKeptPackets fills more files than are kept, twice, and finds the newest packets
// in those that are left.
func TestKeptPackets(t *testing.T) {
	session := filepath.Join(t.TempDir(), "bug.weir")
	const size = 100 << 10
	n := 0
	for range 2 {
		k, err := keepPackets(session, 1) // which is as little as can be: 1 MB a file
		if err != nil {
			t.Fatal(err)
		}
		for range 45 {
			n++
			if err := k.add(pcap.Packet{AtNs: int64(n), Link: 276, Data: make([]byte, size), Length: 2 * size}); err != nil {
				t.Fatal(err)
			}
		}
		if err := k.close(); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(session), "bug.*.pcapng"))
	if err != nil || len(files) != packetFiles {
		t.Fatalf("got %q, %v, want %d files", files, err, packetFiles)
	}
	next := n
	for i := len(files) - 1; i >= 0; i-- {
		times := readTimes(t, files[i])
		for j := len(times) - 1; j >= 0; j-- {
			if times[j] != int64(next) {
				t.Fatalf("%s: got packet %d, want %d", files[i], times[j], next)
			}
			next--
		}
		if info, err := os.Stat(files[i]); err != nil || info.Size() > 1<<20 || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", files[i], info, err)
		}
	}
	if kept := n - next; kept < 3*10 {
		t.Errorf("kept %d packets of %d, want those of three whole files at least", kept, n)
	}
}

func readTimes(t *testing.T, path string) (times []int64) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pcap.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return times
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		times = append(times, p.AtNs)
	}
}

func TestWithoutSSH(t *testing.T) {
	for _, c := range []struct{ connection, want string }{
		{"", ""},
		{"10.0.0.1 50000 10.0.0.2 22", "not (tcp port 50000 and tcp port 22 and host 10.0.0.1 and host 10.0.0.2)"},
		{"fe80::1%eth0 50000 fe80::2%eth0 22", "not (tcp port 50000 and tcp port 22 and host fe80::1%eth0 and host fe80::2%eth0)"},
		{"nonsense", ""},
	} {
		got := withoutSSH(c.connection)
		if got != c.want {
			t.Errorf("%q: got %q, want %q", c.connection, got, c.want)
		}
		if _, err := pcapfilter.Parse(t.Context(), got, nil); err != nil {
			t.Errorf("%q: %v", c.connection, err)
		}
	}
}
