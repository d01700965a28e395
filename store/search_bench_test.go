package store

import (
	"io"
	"os"
	"testing"

	"weir/store/seed"
)

// BenchmarkSearchBodies measures a search through bodies beside a plain read of the file,
// as bytes of the file a second.
func BenchmarkSearchBodies(b *testing.B) {
	s := seeded(b, seed.Options{Flows: 10_000, BodySize: 16 << 10})
	size := fileSize(s.Path())
	b.Run("read", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			f, err := os.Open(s.Path())
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, struct{ io.Reader }{f}); err != nil {
				b.Fatal(err)
			}
			if err := f.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, src := range map[string]string{"literal": "~b needle", "regexp": `~b "nee[d]le\d+"`, "negated": "!~b needle"} {
		e := parse(b, src)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.CountMatching(b.Context(), e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
