package ws

// Limits bound what a Reader holds and makes. A zero field means its default.
type Limits struct {
	Frames   int   // frames of one message whose lengths are kept; default 1024
	Inflated int64 // bytes that one compressed message may unfold to; default 256 MB
}

// withDefaults returns l with every zero field replaced.
func (l Limits) withDefaults() Limits {
	if l.Frames <= 0 {
		l.Frames = 1024
	}
	if l.Inflated <= 0 {
		l.Inflated = 256 << 20
	}
	return l
}

// maxControl is the most bytes that the payload of a control frame may have (RFC 6455 §5.5).
const maxControl = 125

// scratchSize is how much is unmasked at a time.
const scratchSize = 4 << 10
