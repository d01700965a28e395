package main

import (
	"context"
	"fmt"
	"io"

	flowpb "weir/proto"
	"weir/proto/coding"
	"weir/store/body"
)

// showBody writes one body to standard output. One that is not whole is written as
// far as it goes, and never silently.
func showBody(ctx context.Context, std stdio, s reading, id uint64, flags showFlags) error {
	f, err := s.Flow(ctx, id)
	if err != nil {
		return err
	}
	side, b, headers := half(f, flags.body)
	switch {
	case b == nil:
		return fmt.Errorf("flow %d: its %s has no body", id, flags.body)
	case b.GetState() == flowpb.BodyDropped:
		return fmt.Errorf("flow %d: the body of its %s was passed on and not kept", id, flags.body)
	}
	stored, err := s.Body(ctx, id, side)
	if err != nil {
		return err
	}
	err = printBody(ctx, std, stored, id, flags.as, b, headers)
	missing := int64(b.GetSize()) - stored.Size()
	switch state := b.GetState(); {
	case missing > 0 && err == nil:
		return fmt.Errorf("flow %d: only %d of %d bytes of the body are in the session", id, stored.Size(), b.GetSize())
	case missing > 0:
		fmt.Fprintf(std.err, "weir: flow %d: only %d of %d bytes of the body are in the session\n", id, stored.Size(), b.GetSize())
	case state == flowpb.BodyCut:
		fmt.Fprintf(std.err, "weir: flow %d: the body was cut off: these %d bytes are all that came\n", id, stored.Size())
	case state == flowpb.BodyStreaming:
		fmt.Fprintf(std.err, "weir: flow %d: the body is still arriving: these are its first %d bytes\n", id, stored.Size())
	}
	return err
}

// printBody writes a stored body in the shape that --as names.
func printBody(ctx context.Context, std stdio, stored *body.Body, id uint64, as string, b *flowpb.Body, headers []*flowpb.Field) error {
	if as == wireView {
		_, err := io.Copy(std.out, stored.NewReader(ctx))
		return err
	}
	decoded, err := coding.NewReader(stored.NewReader(ctx), coding.Of(b, headers))
	if err != nil {
		return undecodable(id, err)
	}
	defer decoded.Close()
	if as != "" {
		return writeView(ctx, std, as, decoded, headers)
	}
	if _, err = io.Copy(std.out, decoded); err != nil {
		return undecodable(id, err)
	}
	return nil
}

func undecodable(id uint64, err error) error {
	return hinted(fmt.Errorf("flow %d: decode the body: %w", id, err), "--as wire prints it as it was received")
}

// half is one side of an HTTP flow, by the name --body gives it.
func half(f *flowpb.Flow, name string) (flowpb.Side, *flowpb.Body, []*flowpb.Field) {
	if name == "request" {
		q := f.GetHttp().GetRequest()
		return flowpb.SideRequest, q.GetBody(), q.GetHeaders()
	}
	p := f.GetHttp().GetResponse()
	return flowpb.SideResponse, p.GetBody(), p.GetHeaders()
}
