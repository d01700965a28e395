package flowdetail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"weir/proto/coding"
	"weir/tui/content"
)

// origin is where the bytes of one body or message come from.
type origin struct {
	read    func(ctx context.Context, off int64, n int) ([]byte, error)
	size    int64    // bytes as stored
	codings []string // content codings to undo; none: as sent
}

// part is a window of content.
type part struct {
	data  []byte
	base  int64
	more  bool  // the content goes on
	fault error // why it could not be decoded, or not to its end
}

// readerFunc is a function as an io.Reader.
type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// stored reads the bytes as stored, in order, from an offset. passed is called
// with how many there were so far.
func (o origin) stored(ctx context.Context, from int64, passed func(int64)) io.Reader {
	at := from
	var rest []byte
	return readerFunc(func(p []byte) (int, error) {
		if len(rest) == 0 {
			got, err := o.read(ctx, at, readStep)
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

// open reads the content, decoded, from its beginning.
func (o origin) open(ctx context.Context, passed func(int64)) (io.ReadCloser, error) {
	return coding.NewReader(o.stored(ctx, 0, passed), o.codings)
}

// window reads n bytes of content from base on. Content that cannot be decoded
// at all is given as it is stored, with the fault.
func (o origin) window(ctx context.Context, base int64, n int) (part, error) {
	if len(o.codings) == 0 {
		return o.plain(ctx, base, n)
	}
	p, err := o.decoded(ctx, base, n)
	if err != nil || p.fault == nil || len(p.data) > 0 || base > 0 {
		return p, err
	}
	plain, err := o.plain(ctx, base, n)
	plain.fault = p.fault
	return plain, err
}

func (o origin) plain(ctx context.Context, base int64, n int) (part, error) {
	p := part{base: base}
	for len(p.data) < n {
		got, err := o.read(ctx, base+int64(len(p.data)), n-len(p.data))
		if err != nil {
			return part{}, err
		}
		if len(got) == 0 {
			break
		}
		p.data = append(p.data, got...)
	}
	p.more = base+int64(len(p.data)) < o.size
	return p, nil
}

func (o origin) decoded(ctx context.Context, base int64, n int) (part, error) {
	p := part{base: base}
	r, err := o.open(ctx, func(int64) {})
	if err != nil {
		p.fault = err
		return p, nil
	}
	defer r.Close()
	if _, err := io.CopyN(io.Discard, r, base); err != nil {
		return p, ctxOr(ctx, err)
	}
	data, err := io.ReadAll(io.LimitReader(r, int64(n)+1))
	if ctx.Err() != nil {
		return part{}, ctx.Err()
	}
	p.more = len(data) > n
	p.data = data[:min(len(data), n)]
	p.fault = err
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

// aligned leaves out the line that a window cuts at its beginning.
func (p part) aligned() part {
	if i := bytes.IndexByte(p.data[:min(len(p.data), maxRagged)], '\n'); i >= 0 {
		p.data = p.data[i+1:]
		p.base += int64(i) + 1
	}
	return p
}

// input is what the views get of a window.
func (p part) input(mediaType string, query []byte, columns int) content.Input {
	return content.Input{Data: p.data, Base: p.base, More: p.more, Type: mediaType, Query: query, Columns: columns}
}
