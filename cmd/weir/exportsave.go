package main

import (
	"context"
	"io"

	"weir/tui"
)

// Save implements tui.Exporter.
func (s *source) Save(ctx context.Context, format, path string, ids []uint64, masked bool) (tui.Saved, error) {
	return (&shelf{session: s.session}).save(ctx, format, path, ids, masked)
}

// bodyFile is a file of the body of one flow alone.
type bodyFile struct{ w io.Writer }

func (f bodyFile) flow(ctx context.Context, s reading, id uint64) error {
	return copyBody(ctx, s, id, f.w)
}

func (bodyFile) end() error { return nil }

// savedAs returns what begins a file.
func savedAs(format string) (func(w io.Writer) (exporting, error), error) {
	if format == "body" {
		return func(w io.Writer) (exporting, error) { return bodyFile{w}, nil }, nil
	}
	f, err := findFormat(format)
	return func(w io.Writer) (exporting, error) { return beginExport(w, f, nil) }, err
}

// save writes flows to a file, in the order of ids.
func (s *shelf) save(ctx context.Context, format, path string, ids []uint64, masked bool) (tui.Saved, error) {
	var saved tui.Saved
	begin, err := savedAs(format)
	if err != nil {
		return saved, err
	}
	for _, one := range s.sessions() {
		if err := checkOutput(path, one.Path()); err != nil {
			return saved, err
		}
	}
	quiet := stdio{out: io.Discard, err: io.Discard}
	err = intoFile(quiet, path, func(w io.Writer) error {
		file, err := begin(w)
		if err != nil {
			return err
		}
		for _, id := range ids {
			in, number, err := s.at(id, masked)
			if err == nil {
				err = file.flow(ctx, in, number)
			}
			switch {
			case err == nil:
				saved.Flows++
			case unfit(quiet, err):
				saved.Left++
			default:
				return err
			}
		}
		return file.end()
	})
	return saved, err
}
