package arch

// ban forbids imports to some packages. Packages and imports are patterns as
// matches understands them.
type ban struct {
	in     []string // directories the ban holds in
	except []string // directories among them that it does not hold in
	deny   []string // imports it forbids
	allow  []string // imports among them that are free
	tests  bool     // whether it binds test files too
	why    string
}

// pure is the packages that turn bytes and values into others and touch nothing else.
var pure = []string{
	"filter/...", "proto/...", "proxy/h1", "proxy/h2", "proxy/ws", "proxy/sse", "proxy/dns", "proxy/socks", "proxy/translate",
	"proxy/record", "proxy/handshake", "proxy/quic", "proxy/packet/pcap", "proxy/packet/link", "proxy/packet/tcp", "proxy/packet/unseal",
	"proxy/packet/synth",
}

// bans is the arrows. Where a ban binds tests, it is because a test that reaches
// across would couple the packages just as well as code does.
var bans = []ban{
	{
		in:    []string{"tui/..."},
		deny:  []string{"weir/..."},
		allow: []string{"weir/tui/...", "weir/filter/...", "weir/proto/..."},
		tests: true,
		why:   "tui shows flows from the Source it declares; cmd/weir joins it to store and proxy",
	},
	{
		in:    []string{"proxy/..."},
		deny:  []string{"weir/..."},
		allow: []string{"weir/proxy/...", "weir/filter/...", "weir/proto/..."},
		tests: true,
		why:   "proxy gives its flows to the Sink it declares and knows neither where they are kept nor who looks",
	},
	{
		in:    []string{"store/..."},
		deny:  []string{"weir/..."},
		allow: []string{"weir/store/...", "weir/filter/...", "weir/proto/..."},
		tests: true,
		why:   "store keeps flows and does not know where they come from or who looks",
	},
	{
		in:    []string{"filter/..."},
		deny:  []string{"weir/..."},
		allow: []string{"weir/filter/...", "weir/proto/..."},
		tests: true,
		why:   "filter is a language about flows, used by all three sides, and stands on proto alone",
	},
	{
		in:    []string{"proto/..."},
		deny:  []string{"weir/..."},
		allow: []string{"weir/proto/..."},
		tests: true,
		why:   "proto is what everything else is written in, so it stands at the bottom",
	},
	{
		in:    []string{"proxy/h1", "proxy/h2", "proxy/ws", "proxy/socks"},
		deny:  []string{"weir/..."},
		tests: true,
		why:   "a wire parser turns bytes into events for any caller: sockets, packet captures, tests",
	},
	{
		in:    []string{"tui/widget/...", "tui/theme/..."},
		deny:  []string{"weir/..."},
		allow: []string{"weir/tui/widget/...", "weir/tui/theme/..."},
		why:   "widgets and themes know nothing of the product",
	},
	{
		in:    pure,
		deny:  []string{"net/...", "os/...", "sync/..."},
		allow: []string{"net/url", "net/netip"},
		why:   "pure code: bytes and values in, values out, no clock, no socket, no file, no lock",
	},
	{
		in:     pure,
		except: []string{"proto/har", "proto/report"}, // dates are text in them
		deny:   []string{"time"},
		why:    "pure code: bytes and values in, values out, no clock, no socket, no file, no lock",
	},
	{
		in:     []string{"..."},
		except: []string{"store/..."},
		deny:   []string{"modernc.org/...", "database/sql/..."},
		why:    "only store knows that a session is SQLite",
	},
	{
		in:   []string{"..."},
		deny: []string{"github.com/google/gopacket/..."},
		why:  "gopacket panics and over-allocates on crafted input; proxy/packet decodes packets itself",
	},
	{
		in:     []string{"..."},
		except: []string{"tui/...", "cmd/...", "internal/e2e"},
		deny:   []string{"charm.land/...", "github.com/charmbracelet/..."},
		why:    "only what draws the terminal knows the terminal libraries",
	},
	{
		in:     []string{"..."},
		except: []string{"cmd/..."},
		deny:   []string{"github.com/spf13/...", "charm.land/fang/..."},
		why:    "the command line is read in one place",
	},
	{
		in:    []string{"..."},
		deny:  []string{"github.com/stretchr/testify/..."},
		tests: true,
		why:   "tests say got and want in their own words; no assertion library",
	},
	{
		in:    []string{"..."},
		deny:  []string{"C"},
		tests: true,
		why:   "weir is one static binary, built with CGO_ENABLED=0",
	},
}

// silent is the packages that start no goroutines.
var silent = []string{"tui/...", "filter/...", "proto/..."}

// planned is packages that rules name and nobody has written yet.
var planned = []string{}
