package ws

import "unicode/utf8"

// textCheck looks whether bytes that come in pieces are UTF-8 (RFC 3629).
type textCheck struct {
	taken   int64 // bytes before the character that is not whole yet
	partial [utf8.UTFMax]byte
	n       int // of partial
	bad     bool
	at      int64 // where the first byte that is no UTF-8 is
}

// add checks one more piece.
func (c *textCheck) add(p []byte) {
	if c.bad {
		return
	}
	for c.n > 0 && len(p) > 0 && !c.bad {
		c.partial[c.n] = p[0]
		c.n++
		p = p[1:]
		if utf8.FullRune(c.partial[:c.n]) {
			whole := c.partial[:c.n]
			c.n = 0
			c.whole(whole)
		}
	}
	if c.bad || len(p) == 0 {
		return
	}
	end := len(p)
	for i := 1; i < utf8.UTFMax && i <= len(p); i++ {
		if utf8.RuneStart(p[len(p)-i]) {
			if !utf8.FullRune(p[len(p)-i:]) {
				end = len(p) - i
			}
			break
		}
	}
	c.whole(p[:end])
	c.n = copy(c.partial[:], p[end:])
}

// whole checks bytes that end with a character.
func (c *textCheck) whole(p []byte) {
	if !utf8.Valid(p) {
		c.bad = true
		c.at = c.taken + int64(firstInvalid(p))
		return
	}
	c.taken += int64(len(p))
}

func firstInvalid(p []byte) int {
	for i := 0; i < len(p); {
		r, n := utf8.DecodeRune(p[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return len(p)
}

// end reports whether all was UTF-8, the last character included, and where it was not.
func (c *textCheck) end() (at int64, ok bool) {
	switch {
	case c.bad:
		return c.at, false
	case c.n > 0:
		return c.taken, false
	}
	return 0, true
}
