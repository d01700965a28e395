package proxy

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// What does not fit the small buffer is read with a large one, which goes back
// when nothing is in it.
func TestInboxGrowsAndRests(t *testing.T) {
	taken := 0
	pool := &buffers{}
	in := newInbox(pool)
	all := bytes.Repeat([]byte("0123456789"), 10_000)
	src := bytes.NewReader(all)
	var got []byte
	for {
		n, err := in.fill(src)
		if errors.Is(err, io.EOF) {
			break
		}
		taken = max(taken, n)
		p := in.unread()
		got = append(got, p[:len(p)/2]...) // the rest is moved on
		in.advance(len(p) / 2)
		if len(p) == 1 {
			got = append(got, p...)
			in.advance(1)
		}
	}
	got = append(got, in.unread()...)
	if !bytes.Equal(got, all) || pool.lent.Load() != 1 || taken < bufferSize/2 {
		t.Errorf("read %d of %d bytes with %d large buffers, at most %d at once", len(got), len(all), pool.lent.Load(), taken)
	}
	in.rest()
	if in.large == nil {
		t.Error("the buffer went back with bytes in it")
	}
	in.advance(len(in.unread()))
	in.rest()
	if in.large != nil || pool.lent.Load() != 0 || len(in.buf) != smallBuffer {
		t.Error("the large buffer was kept")
	}
}

func TestInboxIsBounded(t *testing.T) {
	in := newInbox(&buffers{})
	src := bytes.NewReader(make([]byte, 2*bufferSize))
	var err error
	for err == nil {
		_, err = in.fill(src)
	}
	if !errors.Is(err, io.ErrShortBuffer) || len(in.unread()) != bufferSize {
		t.Errorf("got %v with %d bytes, want a full inbox", err, len(in.unread()))
	}
}
