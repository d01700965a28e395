package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"

	"weir/cmd/weir/internal/contract"
	flowpb "weir/proto"
)

// jsonlFile writes a line a flow.
type jsonlFile struct{ w io.Writer }

func (jsonlFile) end() error { return nil }

// flow writes what 'weir show --format json' prints, and after it the two
// bodies as stored, in base64, streamed so that their size does not matter.
func (j jsonlFile) flow(ctx context.Context, s reading, id uint64) error {
	w := j.w
	f, err := loadShown(ctx, s, id)
	if err != nil {
		return err
	}
	line, err := contract.Marshal(f.Flow)
	if err != nil {
		return err
	}
	if _, err := w.Write(bytes.TrimSuffix(line, []byte("}"))); err != nil {
		return err
	}
	for _, half := range []struct {
		key  string
		side flowpb.Side
		have *contract.Half
	}{{"request_body", flowpb.SideRequest, f.Request}, {"response_body", flowpb.SideResponse, f.Response}} {
		if err := jsonBody(ctx, s, id, half.key, half.side, half.have, w); err != nil {
			return err
		}
	}
	_, err = io.WriteString(w, "}\n")
	return err
}

func jsonBody(ctx context.Context, s reading, id uint64, key string, side flowpb.Side, have *contract.Half, w io.Writer) error {
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
