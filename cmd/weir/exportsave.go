package main

import (
	"context"
	"io"

	"weir/tui"
)

// Save implements tui.Exporter.
func (s *source) Save(ctx context.Context, format, path string, ids []uint64, masked bool) (tui.Saved, error) {
	var saved tui.Saved
	f, err := findFormat(format)
	if err != nil {
		return saved, err
	}
	if err := checkOutput(path, s.session.Path()); err != nil {
		return saved, err
	}
	quiet := stdio{out: io.Discard, err: io.Discard}
	err = intoFile(quiet, path, func(w io.Writer) error {
		file, err := beginExport(w, f, nil)
		if err != nil {
			return err
		}
		for _, id := range ids {
			err = file.flow(ctx, reading{s.session, masked}, id)
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
