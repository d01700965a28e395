package proxy

// modeRow is one row of the table of modes, which drives the parser, the help
// of the command line and the documentation.
type modeRow struct {
	name    string
	kind    ModeKind
	data    string // what follows the colon, for people; "" where nothing may
	bare    bool   // it may be left out
	port    int    // to listen on where the spec names none
	help    string // one line
	schemes []scheme
}

// scheme is one scheme that a mode's data may begin with.
type scheme struct {
	name string
	port int // where the data names none; 0: it must
}

// modes is every mode. The first scheme of a mode is the one that data without
// a scheme has.
var modes = []modeRow{
	{
		name: "regular", kind: Regular, port: 8080,
		help: "clients have weir set as their HTTP proxy",
	},
	{
		name: "reverse", kind: Reverse, data: "[SCHEME://]HOST[:PORT]", port: 8080,
		help:    "weir stands before one server; SCHEME is https (default), http, h2c, tls, tcp, udp or dns",
		schemes: []scheme{{"https", 443}, {"http", 80}, {"h2c", 80}, {"tls", 0}, {"tcp", 0}, {"udp", 0}, {"dns", dnsPort}},
	},
	{
		name: "upstream", kind: Upstream, data: "[http[s]://][USER:PASSWORD@]HOST[:PORT]", port: 8080,
		help:    "as regular, and everything goes on through another HTTP proxy",
		schemes: []scheme{{"http", 80}, {"https", 443}},
	},
	{
		name: "socks5", kind: SOCKS5, port: 1080,
		help: "clients have weir set as their SOCKS5 proxy",
	},
	{
		name: "dns", kind: DNS, data: "[HOST[:PORT]]", bare: true, port: dnsPort,
		help:    "clients have weir set as their resolver; it asks HOST, or resolves by the system's hosts file and name servers",
		schemes: []scheme{{"dns", dnsPort}},
	},
	{
		name: "transparent", kind: Transparent, port: 8080,
		help: "clients know of nothing: nft or iptables lead their connections here, TPROXY their datagrams too (Linux)",
	},
}

// row returns the table's row of a kind.
func (k ModeKind) row() modeRow {
	for _, row := range modes {
		if row.kind == k {
			return row
		}
	}
	return modeRow{name: "unknown"}
}

// ModeInfo is what a person is told of a mode.
type ModeInfo struct {
	Spec string // "reverse:[SCHEME://]HOST[:PORT]"
	Help string // one line, lower case, no full stop
	Port int    // it listens on where the spec names none
}

// Modes lists every mode, for help and completion.
func Modes() []ModeInfo {
	out := make([]ModeInfo, 0, len(modes))
	for _, m := range modes {
		info := ModeInfo{Spec: m.name, Help: m.help, Port: m.port}
		if m.data != "" {
			info.Spec += ":" + m.data
		}
		out = append(out, info)
	}
	return out
}
