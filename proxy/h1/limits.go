package h1

// Limits bound what a Reader holds. A zero field means its default.
type Limits struct {
	StartLine  int // bytes of a start line with its line end; default 64 KiB
	HeadBytes  int // bytes of a whole head; default 1 MiB
	Fields     int // fields in a head or a trailer section; default 2000
	ChunkLine  int // bytes of a chunk's size line with extensions; default 4 KiB
	Trailer    int // bytes of a trailer section; default 64 KiB
	BlankLines int // empty lines skipped before a start line; default 4

	// Lenient reads the messages that two readers could understand differently,
	// which are refused else. Head.Oddities tells them in either case.
	Lenient bool
}

// withDefaults returns l with every zero field replaced.
func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&l.StartLine, 64 << 10},
		{&l.HeadBytes, 1 << 20},
		{&l.Fields, 2000},
		{&l.ChunkLine, 4 << 10},
		{&l.Trailer, 64 << 10},
		{&l.BlankLines, 4},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return l
}
