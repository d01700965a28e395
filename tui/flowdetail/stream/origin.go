package stream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"weir/proto/coding"
)

// Origin is where the bytes of one body or message come from. It is a value: a
// command takes a copy.
type Origin struct {
	// Read returns up to n bytes as stored, from offset off; fewer mean the end so
	// far. It may block.
	Read    func(ctx context.Context, off int64, n int) ([]byte, error)
	Size    int64    // bytes as stored
	Codings []string // content codings to undo, in the order applied; none: as sent
}

// Part is a window of content.
type Part struct {
	Data  []byte
	Base  int64 // where in the content it begins
	More  bool  // the content goes on
	Fault error // why it could not be decoded, or not to its end
}

// readStep is how much is read at a time, in bytes.
const readStep = 256 << 10

// readerFunc is a function as an io.Reader.
type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// stored reads the bytes as stored, in order, from an offset. passed is called
// with how many there were so far.
func (o Origin) stored(ctx context.Context, from int64, passed func(int64)) io.Reader {
	at := from
	var rest []byte
	return readerFunc(func(p []byte) (int, error) {
		if len(rest) == 0 {
			got, err := o.Read(ctx, at, readStep)
			if err != nil {
				return 0, err
			}
			if len(got) == 0 {
				return 0, io.EOF
			}
			rest = got
			at += int64(len(got))
			passed(at)
		}
		n := copy(p, rest)
		rest = rest[n:]
		return n, nil
	})
}

// Open reads the content, decoded, from its beginning.
func (o Origin) Open(ctx context.Context, passed func(int64)) (io.ReadCloser, error) {
	return coding.NewReader(o.stored(ctx, 0, passed), o.Codings)
}

// Window reads n bytes of content from base on. Content that cannot be decoded
// at all is given as it is stored, with the fault.
func (o Origin) Window(ctx context.Context, base int64, n int) (Part, error) {
	if len(o.Codings) == 0 {
		return o.plain(ctx, base, n)
	}
	p, err := o.decoded(ctx, base, n)
	if err != nil || p.Fault == nil || len(p.Data) > 0 || base > 0 {
		return p, err
	}
	plain, err := o.plain(ctx, base, n)
	plain.Fault = p.Fault
	return plain, err
}

func (o Origin) plain(ctx context.Context, base int64, n int) (Part, error) {
	p := Part{Base: base}
	for len(p.Data) < n {
		got, err := o.Read(ctx, base+int64(len(p.Data)), n-len(p.Data))
		if err != nil {
			return Part{}, err
		}
		if len(got) == 0 {
			break
		}
		p.Data = append(p.Data, got...)
	}
	p.More = base+int64(len(p.Data)) < o.Size
	return p, nil
}

func (o Origin) decoded(ctx context.Context, base int64, n int) (Part, error) {
	p := Part{Base: base}
	r, err := o.Open(ctx, func(int64) {})
	if err != nil {
		p.Fault = err
		return p, nil
	}
	defer r.Close()
	if _, err := io.CopyN(io.Discard, r, base); err != nil {
		return p, ctxOr(ctx, err)
	}
	data, err := io.ReadAll(io.LimitReader(r, int64(n)+1))
	if ctx.Err() != nil {
		return Part{}, ctx.Err()
	}
	p.More = len(data) > n
	p.Data = data[:min(len(data), n)]
	p.Fault = err
	return p, nil
}

// ctxOr returns the context's error if it ended, nil for the end of the content,
// and else err with its place.
func ctxOr(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil, errors.Is(err, io.EOF):
		return nil
	}
	return fmt.Errorf("read body: %w", err)
}

// maxRagged is how far into a window its first line end is looked for, in bytes.
const maxRagged = 8 << 10

// Aligned leaves out the line that a window cuts at its beginning, if it is not
// too long.
func (p Part) Aligned() Part {
	if i := bytes.IndexByte(p.Data[:min(len(p.Data), maxRagged)], '\n'); i >= 0 {
		p.Data = p.Data[i+1:]
		p.Base += int64(i) + 1
	}
	return p
}

// End is where in the content the window ends.
func (p Part) End() int64 { return p.Base + int64(len(p.Data)) }
