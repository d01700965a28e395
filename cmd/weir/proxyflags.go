package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"weir/filter/rex"
	"weir/proxy"
	"weir/proxy/htpasswd"
)

// proxyFlags are the options of the proxies, whatever their mode.
type proxyFlags struct {
	listen       string
	listenGiven  func() bool
	modes        []string
	keepHost     bool
	auth         string
	upstreamAuth string
	allowPublic  bool
	lenient      bool
	stripAltSvc  bool
	ignore       []string
	only         []string
	noAutoIgnore bool
	timeouts     []string
	tls          tlsFlags
}

func (f *proxyFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", defaultListen, "listen on HOST:PORT")
	f.listenGiven = func() bool { return flags.Changed("listen") }
	flags.StringArrayVar(&f.modes, "mode", nil, "proxy mode SPEC, NAME[:DATA][@[HOST:]PORT]; may be given several times (see 'weir help modes')")
	flags.BoolVar(&f.keepHost, "keep-host", false, "reverse mode: leave Host as the client sent it, instead of naming the target")
	flags.StringVar(&f.auth, "proxy-auth", "", "ask clients for USER:PASSWORD, or for one that the htpasswd file @FILE knows")
	flags.StringVar(&f.upstreamAuth, "upstream-auth", "", "give USER:PASSWORD to the proxy of upstream mode")
	flags.BoolVar(&f.allowPublic, "allow-public", false, "take clients from public addresses, too")
	flags.BoolVar(&f.lenient, "lenient", false, "pass on messages whose framing is ambiguous (request smuggling), too; they are flagged")
	flags.BoolVar(&f.stripAltSvc, "strip-alt-svc", false, "keep clients from learning of HTTP/3: without Alt-Svc in responses and HTTPS records in DNS answers")
	flags.StringArrayVar(&f.ignore, "ignore", nil, "pass TLS and tunnels to hosts unopened where REGEX is found in host:port; may be given several times")
	flags.StringArrayVar(&f.only, "only", nil, "open TLS and tunnels only to hosts where REGEX is found in host:port; may be given several times")
	flags.BoolVar(&f.noAutoIgnore, "no-auto-ignore", false, "go on opening TLS for a client that refused weir's certificate for a host twice")
	flags.StringArrayVar(&f.timeouts, "timeout", nil, "bound a wait, PHASE=DUR (DUR 0: without limit); may be given several times (see 'weir help timeouts')")
	complete(cmd, "timeout", timeoutNames()...)
	f.tls.register(cmd)
	complete(cmd, "mode", modeNames()...)
}

func modeNames() []string {
	var names []string
	for _, m := range proxy.Modes() {
		name, _, _ := strings.Cut(m.Spec, ":")
		names = append(names, name)
	}
	return names
}

// parse reads mode specs, those of the flags or others that are wanted later.
func (f *proxyFlags) parse(specs []string) ([]proxy.Mode, error) {
	modes, err := parseModes(specs, listen{addr: f.listen, given: f.listenGiven != nil && f.listenGiven()})
	if err != nil || f.upstreamAuth == "" {
		return modes, err
	}
	user, password, ok := strings.Cut(f.upstreamAuth, ":")
	if !ok {
		return nil, usagef("--upstream-auth: no colon in it").withHint("it is USER:PASSWORD")
	}
	for i := range modes {
		if modes[i].Kind == proxy.Upstream {
			modes[i] = modes[i].WithLogin(user, password)
		}
	}
	return modes, nil
}

// options fills in what the flags say.
func (f *proxyFlags) options(o *proxy.Options) (err error) {
	if o.TLS, err = f.tls.options(); err != nil {
		return err
	}
	if o.Ignore, err = hostPatterns("ignore", f.ignore); err != nil {
		return err
	}
	if o.Only, err = hostPatterns("only", f.only); err != nil {
		return err
	}
	if o.Timeouts, err = parseTimeouts(f.timeouts); err != nil {
		return err
	}
	o.NoAutoIgnore = f.noAutoIgnore
	o.KeepHost, o.AllowPublic = f.keepHost, f.allowPublic
	o.Limits.Lenient, o.StripAltSvc = f.lenient, f.stripAltSvc
	if f.auth == "" {
		return nil
	}
	if path, ok := strings.CutPrefix(f.auth, "@"); ok {
		users, err := htpasswd.Open(path)
		if err != nil {
			return hinted(fmt.Errorf("--proxy-auth: %w", err), "make one with: htpasswd -B -c FILE USER")
		}
		o.Auth = users
		return nil
	}
	user, password, ok := strings.Cut(f.auth, ":")
	if !ok || user == "" {
		return usagef("%w", errors.New("--proxy-auth: neither USER:PASSWORD nor @FILE"))
	}
	o.Auth = htpasswd.Single(user, password)
	return nil
}

// hostPattern is one --ignore or --only.
type hostPattern struct {
	*rex.Pattern
	source string
}

func (p hostPattern) String() string { return p.source }

func hostPatterns(flag string, sources []string) ([]proxy.HostPattern, error) {
	var out []proxy.HostPattern
	for _, source := range sources {
		p, err := rex.Compile(source, rex.Options{})
		if err != nil {
			return nil, usagef("--%s %q: %w", flag, source, err)
		}
		out = append(out, hostPattern{p, source})
	}
	return out, nil
}
