package main

import (
	"context"

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
