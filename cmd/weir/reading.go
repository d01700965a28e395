package main

import (
	"context"
	"errors"
	"fmt"

	"weir/cmd/weir/internal/contract"
	flowpb "weir/proto"
	"weir/store"
)

// reading is a session as exports read it.
type reading struct {
	*store.Session
	masked bool // credentials are not shown
	place  int  // of the session, where it is one of several: see flowpb.Place
}

// Flow is the session's, without credentials where these are not to be shown.
func (r reading) Flow(ctx context.Context, id uint64) (*flowpb.Flow, error) {
	f, err := r.Session.Flow(ctx, id)
	if err == nil && r.masked {
		flowpb.HideSecrets(f)
	}
	return f, err
}

const maskHelp = "hide the values of Authorization, Proxy-Authorization, Cookie and Set-Cookie"

// loadConn reads a connection; nil where the flow has none, or where it is still
// in the writer's queue of a live session.
func loadConn(ctx context.Context, s *store.Session, id uint64) (*flowpb.Conn, error) {
	if id == 0 {
		return nil, nil
	}
	c, err := s.Conn(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return c, err
}

// shown is a flow as show and export print it, with its head.
type shown struct {
	*contract.Flow
	head *flowpb.Flow
}

// loadShown reads a flow to be printed.
func loadShown(ctx context.Context, s reading, id uint64) (f shown, err error) {
	f.head, err = s.Flow(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("flow %d: %w", id, store.ErrNotFound)
	}
	if err != nil {
		return f, err
	}
	client, err := loadConn(ctx, s.Session, f.head.GetClientConn())
	if err != nil {
		return f, err
	}
	server, err := loadConn(ctx, s.Session, f.head.GetServerConn())
	if err != nil {
		return f, err
	}
	f.Flow, err = contract.Load(ctx, s.Session, f.head, client, server)
	return f, err
}
