package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	flowpb "weir/proto"
	"weir/proto/httptext"
)

// exportRaw writes what was on the wire: heads byte for byte, but for the line ends
// of start line and closing line, which are always CRLF; bodies as they were
// received. A chunked body is framed again, since the sizes of its chunks are not
// kept; the extensions of its chunks and its trailers are.
func exportRaw(ctx context.Context, s reading, id uint64, w io.Writer) (bool, error) {
	f, err := s.Flow(ctx, id)
	if err != nil {
		return false, err
	}
	switch h := f.GetHttp(); {
	case h.GetRequest() != nil:
		return true, rawHTTP(ctx, s, f, w)
	case f.GetTcp() != nil || f.GetUdp() != nil:
		return true, eachMessage(ctx, s, id, func(m *flowpb.Message) error {
			_, err := w.Write(m.GetContent())
			return err
		})
	default:
		return false, nil
	}
}

func rawHTTP(ctx context.Context, s reading, f *flowpb.Flow, w io.Writer) error {
	q := f.GetHttp().GetRequest()
	if _, err := w.Write(httptext.Request(q)); err != nil {
		return err
	}
	if err := rawBody(ctx, s, f.GetId(), flowpb.SideRequest, q.GetBody(), q.GetTrailers(), w); err != nil {
		return err
	}
	for _, p := range f.GetHttp().GetInformational() {
		if _, err := w.Write(httptext.Response(p)); err != nil {
			return err
		}
	}
	p := f.GetHttp().GetResponse()
	if p == nil {
		return nil
	}
	if _, err := w.Write(httptext.Response(p)); err != nil {
		return err
	}
	return rawBody(ctx, s, f.GetId(), flowpb.SideResponse, p.GetBody(), p.GetTrailers(), w)
}

func rawBody(ctx context.Context, s reading, id uint64, side flowpb.Side, b *flowpb.Body, trailers []*flowpb.Field, w io.Writer) error {
	if b == nil || b.GetState() == flowpb.BodyDropped {
		return nil
	}
	stored, err := s.Body(ctx, id, side)
	if err != nil {
		return err
	}
	r := stored.NewReader(ctx)
	if b.GetChunked() {
		err = rawChunks(w, r, b, trailers)
	} else {
		_, err = io.Copy(w, r)
	}
	if err != nil {
		return fmt.Errorf("export flow %d: %w", id, err)
	}
	return nil
}

// chunkSize is the most that is one chunk where the sizes of chunks are not known,
// in bytes.
const chunkSize = 64 << 10

// rawChunks frames a body again.
func rawChunks(w io.Writer, body io.Reader, b *flowpb.Body, trailers []*flowpb.Field) error {
	chunks := httptext.NewChunker(b)
	p := make([]byte, chunkSize)
	var out []byte
	for {
		n, err := io.ReadFull(body, p)
		out = chunks.Append(out[:0], p[:n])
		if _, e := w.Write(out); e != nil {
			return e
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if state := b.GetState(); state == flowpb.BodyCut || state == flowpb.BodyStreaming {
		return nil
	}
	_, err := w.Write(chunks.End(nil, trailers))
	return err
}

// eachMessage calls do for the messages of a flow, a page at a time.
func eachMessage(ctx context.Context, s reading, id uint64, do func(*flowpb.Message) error) error {
	for next := uint64(1); ; {
		page, err := s.Messages(ctx, id, next, pageSize)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, m := range page {
			if err := do(m); err != nil {
				return err
			}
		}
		next = page[len(page)-1].GetSequence() + 1
	}
}

// exportJSONL writes what 'weir show --format json' prints, and after it the two
// bodies as stored, in base64, streamed so that their size does not matter.
func exportJSONL(ctx context.Context, s reading, id uint64, w io.Writer) (bool, error) {
	f, err := loadFlowJSON(ctx, s, id)
	if err != nil {
		return false, err
	}
	line, err := marshal(f)
	if err != nil {
		return false, err
	}
	if _, err := w.Write(bytes.TrimSuffix(line, []byte("}"))); err != nil {
		return false, err
	}
	for _, half := range []struct {
		key  string
		side flowpb.Side
		have *halfJSON
	}{{"request_body", flowpb.SideRequest, f.Request}, {"response_body", flowpb.SideResponse, f.Response}} {
		if err := jsonBody(ctx, s, id, half.key, half.side, half.have, w); err != nil {
			return false, err
		}
	}
	_, err = io.WriteString(w, "}\n")
	return err == nil, err
}

func jsonBody(ctx context.Context, s reading, id uint64, key string, side flowpb.Side, have *halfJSON, w io.Writer) error {
	if have == nil || have.BodySize == nil || *have.BodyState == "dropped" {
		_, err := fmt.Fprintf(w, `,"%s":null`, key)
		return err
	}
	stored, err := s.Body(ctx, id, side)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, `,"%s":"`, key); err != nil {
		return err
	}
	enc := base64.NewEncoder(base64.StdEncoding, w)
	if _, err := io.Copy(enc, stored.NewReader(ctx)); err != nil {
		return fmt.Errorf("export flow %d: %w", id, err)
	}
	if err := enc.Close(); err != nil {
		return err
	}
	_, err = io.WriteString(w, `"`)
	return err
}
