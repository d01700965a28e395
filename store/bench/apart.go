package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	flowpb "weir/proto"
	"weir/store"
	"weir/store/body"
)

// apart is how weir keeps a flow: a protobuf head, and the body beside it in
// pieces.
type apart struct {
	flow   *flowpb.Flow
	body   []byte
	blob   []byte
	pieces [][]byte
}

func (a *apart) close() error { return nil }

// dump encodes the head and copies the body into pieces, as recording does.
func (a *apart) dump(context.Context) (n int64, err error) {
	if a.blob, err = flowpb.Encode(nil, a.flow); err != nil {
		return 0, err
	}
	a.pieces = a.pieces[:0]
	for rest := a.body; len(rest) > 0; {
		piece := rest[:min(len(rest), body.PieceSize)]
		rest = rest[len(piece):]
		a.pieces = append(a.pieces, bytes.Clone(piece))
	}
	return int64(len(a.blob) + len(a.body)), nil
}

func (a *apart) load(ctx context.Context) error {
	if err := a.head(ctx); err != nil {
		return err
	}
	return checkLength(len(bytes.Join(a.pieces, nil)), len(a.body))
}

func (a *apart) head(context.Context) error {
	var f flowpb.Flow
	if err := flowpb.Decode(a.blob, &f); err != nil {
		return err
	}
	return checkLength(int(f.GetHttp().GetResponse().GetBody().GetSize()), len(a.body))
}

// stored is the same in a session.
type stored struct {
	flow    *flowpb.Flow
	body    []byte
	session *store.Session
	writer  *store.Writer
}

func newStored(ctx context.Context, dir string, flow *flowpb.Flow, body []byte) (_ *stored, err error) {
	s := &stored{flow: flow, body: body}
	path := filepath.Join(dir, fmt.Sprintf("codec-%d.weir", len(body)))
	if s.session, err = store.Create(ctx, path, store.Options{}); err != nil {
		return nil, err
	}
	if s.writer, err = s.session.NewWriter(ctx, store.WriterOptions{}); err != nil {
		return nil, errors.Join(err, s.session.Close())
	}
	return s, nil
}

func (s *stored) close() error { return s.session.Close() }

func (s *stored) dump(ctx context.Context) (int64, error) {
	s.flow.Id = 0
	if err := s.writer.Flow(ctx, s.flow); err != nil {
		return 0, err
	}
	if err := s.writer.Body(ctx, s.flow.GetId(), flowpb.SideResponse, s.body); err != nil {
		return 0, err
	}
	return 0, s.writer.Flush(ctx)
}

func (s *stored) load(ctx context.Context) error {
	if err := s.head(ctx); err != nil || len(s.body) == 0 {
		return err
	}
	b, err := s.session.Body(ctx, s.flow.GetId(), flowpb.SideResponse)
	if err != nil {
		return err
	}
	p := make([]byte, b.Size())
	if _, err := io.ReadFull(b.NewReader(ctx), p); err != nil {
		return err
	}
	return checkLength(len(p), len(s.body))
}

func (s *stored) head(ctx context.Context) error {
	f, err := s.session.Flow(ctx, s.flow.GetId())
	if err != nil {
		return err
	}
	return checkLength(int(f.GetHttp().GetResponse().GetBody().GetSize()), len(s.body))
}

func checkLength(got, want int) error {
	if got != want {
		return fmt.Errorf("loaded a body of %d bytes, want %d", got, want)
	}
	return nil
}
