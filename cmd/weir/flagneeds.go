package main

import (
	"slices"
	"strings"

	"weir/proxy"
)

// flagNeed is a flag that does something only beside one of others. Given without, it
// would be silently ignored, and somebody wait for what it was to do.
type flagNeed struct {
	flag  string
	needs []string
	hint  string
}

// flagNeeds is every such flag of what captures with a proxy.
var flagNeeds = []flagNeed{
	{"capture-filter", []string{"sniff"}, sniffHint},
	{"promiscuous", []string{"sniff"}, sniffHint},
	{"snap", []string{"sniff"}, sniffHint},
	{"buffer", []string{"sniff"}, sniffHint},
	{"keep-packets", []string{"sniff"}, sniffHint},
	{"keylog", []string{"sniff"}, "the secrets of what weir itself opens are written to the file that SSLKEYLOGFILE names in the environment"},
	{"keep-marked", []string{"keep-for", "keep-flows", "keep-size"}, "without a limit nothing is dropped"},
}

const sniffHint = "it is about captured packets: add --sniff IFACE, or use 'weir sniff'"

// modeNeeds are flags that do something only in some modes. Where a person may change the
// modes later they wait for that.
var modeNeeds = []struct {
	flag string
	kind proxy.ModeKind
	hint string
}{
	{"keep-host", proxy.Reverse, "it is about reverse mode: add --mode reverse:https://HOST"},
	{"upstream-auth", proxy.Upstream, "it is about upstream mode: add --mode upstream:http://HOST:PORT"},
}

// check refuses flags that would have no effect.
func (f *captureFlags) check(modes []proxy.Mode) error {
	changed := func(flag string) bool { return f.changed != nil && f.changed(flag) || flag == "sniff" && f.sniffOnly }
	for _, n := range flagNeeds {
		if changed(n.flag) && !slices.ContainsFunc(n.needs, changed) {
			return usagef("--%s has no effect without --%s", n.flag, strings.Join(n.needs, " or --")).withHint(n.hint)
		}
	}
	for _, m := range modeNeeds {
		used := slices.ContainsFunc(modes, func(x proxy.Mode) bool { return x.Kind == m.kind })
		if f.fixedModes && changed(m.flag) && !used {
			return usagef("--%s has no effect in these modes", m.flag).withHint(m.hint)
		}
	}
	return nil
}
