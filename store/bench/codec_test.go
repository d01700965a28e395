package bench

import (
	"testing"
	"time"
)

func TestCodec(t *testing.T) {
	dir := t.TempDir()
	sizes := []int{0, 2 << 10, 600 << 10}
	r, err := Codec{Dir: dir, Sizes: sizes, For: time.Millisecond}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(r.Results), 3*len(sizes); got != want {
		t.Fatalf("results: got %d, want %d", got, want)
	}
	for i, c := range r.Results {
		if want := sizes[i/3]; c.BodySize != want || c.Bytes <= int64(want)+800 || c.Format == "json" && c.Bytes < int64(want)*4/3 {
			t.Errorf("%s: got %d bytes for a body of %d, want more than the %d of it", c.Format, c.Bytes, c.BodySize, want)
		}
		for name, s := range map[string]Step{
			"dump": c.Dump, "load": c.Load, "head": c.Head, "disk dump": c.DiskDump, "disk load": c.DiskLoad, "disk head": c.DiskHead,
		} {
			if s.Time <= 0 {
				t.Errorf("%s of %s: got no time", name, c.Format)
			}
		}
		// What the format is chosen for: a list never loads a body.
		if c.Format == "protobuf" && c.Head.Allocated > 64<<10 {
			t.Errorf("head of a flow with a body of %d: allocated %d bytes, want less than 64 KB", c.BodySize, c.Head.Allocated)
		}
	}
	checkEmpty(t, dir)
}
