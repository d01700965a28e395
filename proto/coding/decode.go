package coding

import (
	"bytes"
	"io"
	"math"
)

// Decode returns what p holds once the codings, in the order in which they
// were applied, are undone, but at most limit bytes of it. With any error
// comes the part that could be decoded; the error has ErrTooLarge in its chain
// when there is more than limit, and is otherwise one of NewReader's. Without
// a coding to undo, the result is p itself or a prefix of it.
func Decode(p []byte, encodings []string, limit int64) ([]byte, error) {
	// What goes into a coding is hardly ever larger than what comes out of it:
	// small limits keep what passes between layers, and so the time, small too.
	const slack = 64 << 10
	limit = min(max(limit, 0), math.MaxInt64/4)
	s, err := newStack(bytes.NewReader(p), encodings, min(maxBetween, 2*limit+slack))
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if len(s.layers) == 0 {
		if int64(len(p)) > limit {
			return p[:limit], ErrTooLarge
		}
		return p, nil
	}
	out, err := io.ReadAll(io.LimitReader(s, limit+1))
	if int64(len(out)) > limit {
		return out[:limit], ErrTooLarge
	}
	return out, err
}
