package h2

// Limits bound what a Conn holds and how much work a peer can cause. A zero
// field means its default.
type Limits struct {
	// HeaderList is the decoded size of a header block: names and values, and 32
	// bytes a field (RFC 9113 §10.5.1). A larger one loses its stream; default 1 MiB.
	HeaderList int
	// HeaderBlock is the bytes of a header block as sent; default 512 KiB.
	HeaderBlock int
	// Continuations is the CONTINUATION frames of a header block; default 128.
	Continuations int
	// Streams is the streams that are open at once, whatever the settings say. One
	// more is refused; default 1000.
	Streams int
	// Resets is the streams that the peer resets, or has reset for an error,
	// between two calls of Calm; default 400.
	Resets int
	// Controls is the frames between two calls of Calm that cost us work and move
	// nothing: SETTINGS, PING, PRIORITY, empty DATA, unknown ones, and any on a
	// stream that is closed; default 4000.
	Controls int
	// Frame is the bytes of a frame other than DATA; default 512 KiB.
	Frame int
}

// withDefaults returns l with every zero field replaced.
func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&l.HeaderList, 1 << 20},
		{&l.HeaderBlock, 512 << 10},
		{&l.Continuations, 128},
		{&l.Streams, 1000},
		{&l.Resets, 400},
		{&l.Controls, 4000},
		{&l.Frame, 512 << 10},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return l
}
