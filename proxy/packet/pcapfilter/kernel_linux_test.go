package pcapfilter

import (
	"context"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// TestKernelTakesPrograms attaches programs to a socket that anybody may have: the
// kernel refuses what jumps or loads out of place, before a packet comes.
func TestKernelTakesPrograms(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Skip("no socket here:", err)
	}
	defer unix.Close(fd)
	rapid.Check(t, func(t *rapid.T) {
		src := write(drawTree(t, 4))
		f, err := Parse(context.Background(), src, names{})
		if err != nil {
			t.Fatal(err)
		}
		program, err := f.Program(rapid.SampledFrom([]Link{Ethernet, Cooked}).Draw(t, "link"), 100)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := bpf.Assemble(program)
		if err != nil {
			t.Fatal(err)
		}
		code := make([]unix.SockFilter, len(raw))
		for i, r := range raw {
			code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
		}
		if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}); err != nil {
			t.Fatalf("%q, %d instructions: %v", src, len(code), err)
		}
	})
}
