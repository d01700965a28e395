package main

import (
	"context"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// TestSetModes changes the modes of a running capture as the interface does.
func TestSetModes(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	flags := testFlags(t, "")
	c, err := flags.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.run(ctx) }()
	first := c.Modes()[0]
	if err := c.SetModes(t.Context(), []string{first, "upstream:http://u:secret@proxy.test:3128@0"}); err != nil {
		t.Fatal(err)
	}
	now := c.Modes()
	if len(now) != 2 || now[0] != first || !strings.HasPrefix(now[1], "upstream:http://proxy.test:3128@127.0.0.1:") {
		t.Errorf("got %q, want %s and the upstream mode without its password", now, first)
	}
	// What is told can be typed again, and changes nothing: not even the password.
	if err := c.SetModes(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Modes(), " "); got != strings.Join(now, " ") || !c.servers.Servers()[1].Mode.HasLogin() {
		t.Errorf("got %q, want %q", got, now)
	}
	if err := c.SetModes(t.Context(), []string{"carrier-pigeon"}); err == nil || len(c.Modes()) != 2 {
		t.Errorf("got %v and %q, want an error and no change", err, c.Modes())
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := c.close(); err != nil {
		t.Error(err)
	}
}
