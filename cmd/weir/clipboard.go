package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	flowpb "weir/proto"
	"weir/proto/coding"
	"weir/proto/httptext"
	"weir/tui"
)

var _ tui.Exporter = (*source)(nil)

// exporter writes something of one flow; [flowpb.ErrNoForm] where it has no such thing.
type exporter func(ctx context.Context, s reading, id uint64, w io.Writer) error

// copyFormat returns the writer of what a copy key takes: a format of export, or
// one of those that only make sense on a clipboard.
func copyFormat(name string) (exporter, error) {
	switch name {
	case "url":
		return copyURL, nil
	case "body":
		return copyBody, nil
	case "headers":
		return copyHeaders, nil
	}
	format, err := findFormat(name)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, s reading, id uint64, w io.Writer) error {
		file, err := beginExport(w, format, nil)
		if err != nil {
			return err
		}
		return errors.Join(file.flow(ctx, s, id), file.end())
	}, nil
}

// Export implements tui.Exporter.
func (s *source) Export(ctx context.Context, format string, id uint64, masked bool, limit int) (tui.Exported, error) {
	write, err := copyFormat(format)
	if err != nil {
		return tui.Exported{}, err
	}
	out := spill{limit: limit, name: fmt.Sprintf("weir-flow-%d-%s-*", id, format)}
	err = write(ctx, reading{Session: s.session, masked: masked}, id, &out)
	if errors.Is(err, flowpb.ErrNoForm) {
		err = fmt.Errorf("flow %d has no such form", id)
	}
	path, closeErr := out.close(err != nil)
	if err == nil {
		err = closeErr
	}
	return tui.Exported{Text: bytes.TrimSuffix(out.buf.Bytes(), []byte("\n")), Path: path}, err
}

// Keep implements tui.Exporter.
func (s *source) Keep(_ context.Context, name string, text []byte) (string, error) {
	out := spill{name: "weir-" + name + "-*"}
	_, err := out.Write(text)
	path, closeErr := out.close(err != nil)
	return path, errors.Join(err, closeErr)
}

// spill holds what is written to it, and moves to a file of its owner's when that
// grows past the limit.
type spill struct {
	limit int
	name  string // pattern of os.CreateTemp
	buf   bytes.Buffer
	file  *os.File
}

func (s *spill) Write(p []byte) (int, error) {
	if s.file == nil && s.buf.Len()+len(p) <= s.limit {
		return s.buf.Write(p)
	}
	if s.file == nil {
		f, err := os.CreateTemp("", s.name)
		if err != nil {
			return 0, fmt.Errorf("write a file for what is too long to copy: %w", err)
		}
		s.file = f
		if _, err := s.buf.WriteTo(f); err != nil {
			return 0, err
		}
	}
	return s.file.Write(p)
}

// close returns the path of the file, "" if there is none. A failed one is removed.
func (s *spill) close(failed bool) (string, error) {
	if s.file == nil {
		return "", nil
	}
	err := s.file.Close()
	if failed || err != nil {
		return "", errors.Join(err, os.Remove(s.file.Name()))
	}
	return s.file.Name(), nil
}

func copyURL(ctx context.Context, s reading, id uint64, w io.Writer) error {
	f, err := s.Flow(ctx, id)
	if err != nil {
		return err
	}
	summary := flowpb.Summarize(f)
	url := summary.URL()
	if url == "" {
		return flowpb.ErrNoForm
	}
	_, err = io.WriteString(w, url)
	return err
}

// copyHeaders writes the heads as they were sent.
func copyHeaders(ctx context.Context, s reading, id uint64, w io.Writer) error {
	f, err := s.Flow(ctx, id)
	if err != nil {
		return err
	}
	h := f.GetHttp()
	if h.GetRequest() == nil {
		return flowpb.ErrNoForm
	}
	heads := httptext.Request(h.GetRequest())
	if h.GetResponse() != nil {
		heads = append(heads, httptext.Response(h.GetResponse())...)
	}
	_, err = w.Write(heads)
	return err
}

// copyBody writes the body of the response, else of the request, decoded.
func copyBody(ctx context.Context, s reading, id uint64, w io.Writer) error {
	f, err := s.Flow(ctx, id)
	if err != nil {
		return err
	}
	for _, name := range []string{"response", "request"} {
		side, b, headers := half(f, name)
		if b.GetSize() == 0 || b.GetState() == flowpb.BodyDropped {
			continue
		}
		stored, err := s.Body(ctx, id, side)
		if err != nil {
			return err
		}
		decoded, err := coding.NewReader(stored.NewReader(ctx), coding.Of(b, headers))
		if err != nil {
			return undecodable(id, err)
		}
		defer decoded.Close()
		if _, err := io.Copy(w, decoded); err != nil {
			return undecodable(id, err)
		}
		return nil
	}
	return flowpb.ErrNoForm
}
