package main

import (
	"context"

	"weir/proxy"
	"weir/tui"
)

// A capture is what the interface changes the proxy by.
var _ tui.Proxy = (*capture)(nil)

// Modes implements tui.Proxy.
func (c *capture) Modes() []string {
	servers := c.servers.Servers()
	specs := make([]string, len(servers))
	for i, s := range servers {
		specs[i] = s.Mode.String() + "@" + s.Addr.String()
	}
	return specs
}

// ModeNames implements tui.Proxy.
func (c *capture) ModeNames() []string { return modeNames() }

// SetModes implements tui.Proxy. A spec that is typed as Modes tells it keeps its
// server, and an upstream proxy that stays keeps its credentials.
func (c *capture) SetModes(ctx context.Context, specs []string) error {
	modes, err := c.flags.parse(specs)
	if err != nil {
		return err
	}
	for i := range modes {
		for _, now := range c.servers.Servers() {
			modes[i] = stay(modes[i], now)
		}
	}
	return c.servers.Change(ctx, modes)
}

// stay returns the mode of a server where m asks for just that.
func stay(m proxy.Mode, now proxy.Listening) proxy.Mode {
	if m.String() == now.Mode.String() && (m.Listen == now.Addr.String() || m.Listen == now.Mode.Listen) && !m.HasLogin() {
		return now.Mode
	}
	return m
}

// InterceptAgain implements tui.Proxy.
func (c *capture) InterceptAgain(host string) int { return c.servers.InterceptAgain(host) }
