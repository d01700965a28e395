package tui

import (
	"context"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// Proxy is the capture's own proxy, as the interface changes it while it runs.
// Methods may block and are called from commands only.
type Proxy interface {
	// Modes returns the specs that are served, as they are typed.
	Modes() []string
	// ModeNames returns the names that a spec may begin with.
	ModeNames() []string
	// SetModes serves these specs instead. Where some cannot be, the others are and
	// the error says why.
	SetModes(ctx context.Context, specs []string) error
	// InterceptAgain opens TLS again that is passed through because the client
	// refused weir's certificate, for host or, with "", for every one. It returns for
	// how many clients.
	InterceptAgain(host string) int
}

// proxyBindings are the commands for the proxy.
func proxyBindings() []Binding {
	return []Binding{
		{
			View: ViewGlobal, Name: "mode", Help: "change what the proxy serves", Arg: "SPEC…", Off: noProxy,
			Tip:    "As --mode: `mode regular socks5@1080`. Without a spec the present ones are there to edit.",
			Values: func(a *App) []string { return a.modeNames() },
			Run:    func(a *App, arg string) tea.Cmd { return a.setModes(arg) },
		},
		{
			View: ViewGlobal, Name: "set", Help: "set an option by its name; there is mode", Arg: "OPTION VALUE…", Off: noProxy,
			Values: func(*App) []string { return []string{"mode"} },
			Run:    func(a *App, arg string) tea.Cmd { return a.setOption(arg) },
		},
		{
			View: ViewGlobal, Keys: []string{"P"}, Name: "intercept-again", Arg: "HOST", Off: noProxy,
			Help: "open TLS again that is passed through for clients that refused weir's certificate",
			Run:  func(a *App, arg string) tea.Cmd { return a.interceptAgain(arg) },
		},
	}
}

func noProxy(a *App) string {
	if a.opts.Proxy == nil {
		return "there is no proxy: this session is not being captured here"
	}
	return ""
}

func (a *App) modeNames() []string {
	if a.opts.Proxy == nil {
		return nil
	}
	return a.opts.Proxy.ModeNames()
}

// setOption is mitmproxy's way of typing it: `set mode regular@8081`.
func (a *App) setOption(arg string) tea.Cmd {
	name, value, _ := strings.Cut(strings.Replace(arg, "=", " ", 1), " ")
	if name != "mode" {
		a.say(Error, "no option "+name, "set knows: mode")
		return nil
	}
	return a.setModes(value)
}

// setModes serves other modes, or asks which.
func (a *App) setModes(arg string) tea.Cmd {
	p, specs := a.opts.Proxy, strings.Fields(arg)
	if len(specs) == 0 {
		return a.openCommand("mode " + strings.Join(p.Modes(), " "))
	}
	return a.start("changing the modes", func(ctx context.Context) tea.Msg {
		err := p.SetModes(ctx, specs)
		return modesSet{modes: p.Modes(), err: err}
	})
}

// modesSet is what is served after a change.
type modesSet struct {
	modes []string
	err   error
}

func (a *App) modesSet(msg modesSet) tea.Cmd {
	a.endJob()
	if msg.err != nil {
		a.fail("change the modes", msg.err, "serving "+strings.Join(msg.modes, ", "))
		return nil
	}
	a.say(Info, "serving "+strings.Join(msg.modes, ", "), "")
	return nil
}

// interceptAgain undoes what the proxy did by itself.
func (a *App) interceptAgain(host string) tea.Cmd {
	p := a.opts.Proxy
	return a.async.Do(func(context.Context) tea.Msg {
		return unpinned{host: host, clients: p.InterceptAgain(host)}
	})
}

// unpinned is for how many clients TLS is opened again.
type unpinned struct {
	host    string
	clients int
}

func (a *App) unpinned(msg unpinned) tea.Cmd {
	text := "nothing is passed through by itself"
	if msg.clients > 0 {
		text = fmt.Sprintf("TLS is opened again for %d clients that refused weir's certificate", msg.clients)
	}
	if msg.host != "" {
		text += " for " + msg.host
	}
	a.say(Info, text, "")
	return nil
}
