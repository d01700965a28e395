package handshake

import "testing"

// FuzzHalf sees that no bytes panic, that any cut of them finds the same, and that
// what is held stays bounded.
func FuzzHalf(f *testing.F) {
	f.Add([]byte("\x15\x03\x01\x00\x02\x02\x30"), 1)
	f.Add(append([]byte("\x16\x03\x01\x00\x2b\x02\x00\x00\x27\x03\x03"), make([]byte, 37)...), 3)
	f.Add(append([]byte("\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x03"), make([]byte, 39)...), 3)
	f.Add([]byte("\x16\x03\x03\x00\x0d\x0b\x00\x00\x09\x00\x00\x06\x00\x00\x03abc"), 2)
	f.Fuzz(func(t *testing.T, p []byte, cut int) {
		var whole, pieces Half
		whole.Feed(p)
		for step := max(1, cut); len(p) > 0; {
			n := min(step, len(p))
			pieces.Feed(p[:n])
			p = p[n:]
			if len(pieces.message) > maxMessage+maxRecord {
				t.Fatalf("%d bytes are held", len(pieces.message))
			}
		}
		if whole.Broken != pieces.Broken || (whole.Client == nil) != (pieces.Client == nil) || (whole.Server == nil) != (pieces.Server == nil) ||
			len(whole.Certificates) != len(pieces.Certificates) || (whole.Alert == nil) != (pieces.Alert == nil) || whole.LongestData != pieces.LongestData {
			t.Errorf("whole: %+v, in pieces: %+v", whole, pieces)
		}
		if whole.Client != nil && len(whole.Client.JA4()) != 36 {
			t.Errorf("JA4: got %q", whole.Client.JA4())
		}
	})
}

// TestAlert finds an alert in clear, and none behind a change of the cipher.
func TestAlert(t *testing.T) {
	var h Half
	h.Feed([]byte("\x15\x03\x01\x00\x02\x02\x30"))
	if h.Alert == nil || !h.Alert.Fatal() || h.Alert.Description != 48 {
		t.Errorf("got %+v, want a fatal alert of 48", h.Alert)
	}
	h = Half{}
	h.Feed([]byte("\x14\x03\x03\x00\x01\x01\x15\x03\x03\x00\x02\x02\x30"))
	if h.Alert != nil || !h.ChangedCipher {
		t.Errorf("got %+v behind a change of the cipher", h.Alert)
	}
}
