package main

import (
	"context"
	"errors"
	"io"

	flowpb "weir/proto"
	"weir/proto/har"
	"weir/proto/mitmdump"
	"weir/proxy/packet/synth"
)

// wholeWriter is a format of other tools, written flow by flow.
type wholeWriter interface {
	Write(w *flowpb.Whole) error
	Close() error
}

// wholeFile writes flows, with all that belongs to them, in such a format.
type wholeFile struct {
	w      wholeWriter
	noForm error // what the writer says of a flow that has no form
}

func exportHAR(w io.Writer, _ *exportFlags) (exporting, error) {
	return wholeFile{har.NewWriter(w, version()), har.ErrNoForm}, nil
}

func exportMitm(w io.Writer, _ *exportFlags) (exporting, error) {
	return wholeFile{mitmdump.NewWriter(w), mitmdump.ErrNoForm}, nil
}

func exportPcapng(w io.Writer, _ *exportFlags) (exporting, error) {
	packets, err := synth.NewWriter(w, "weir "+version())
	return wholeFile{packets, synth.ErrNoForm}, err
}

func (f wholeFile) flow(ctx context.Context, s reading, id uint64) (bool, error) {
	whole, err := loadWhole(ctx, s, id)
	if err != nil {
		return false, err
	}
	err = f.w.Write(whole)
	if errors.Is(err, f.noForm) {
		return false, nil
	}
	return err == nil, err
}

func (f wholeFile) end() error { return f.w.Close() }
