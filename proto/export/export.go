// Package export is the table of the formats in which flows leave a session: the help
// of the command line, the palette and the copy menus of the interface are made from
// it, and so are the writers of all formats that are made of a flow alone.
//
// It is not the formats themselves, each of which is a package. Those without a New
// here need more than a flow: who has the session makes them.
package export

import (
	"io"

	flowpb "weir/proto"
	"weir/proto/har"
	"weir/proto/httptext"
	"weir/proto/mitmdump"
	"weir/proto/openapi"
	"weir/proto/report"
	"weir/proto/resend"
)

// Writer writes flows in some format. Write returns [flowpb.ErrNoForm] for a flow of
// a kind that the format does not have, and a [flowpb.UnfitError] for one that it
// cannot carry; nothing is written of it then, and others may follow. Close ends what is
// written and not the file.
type Writer interface {
	Write(f *flowpb.Whole) error
	Close() error
}

// Format is one format.
type Format struct {
	Name string // as --format has it
	Help string // a line, or several for the command line
	What string // what one flow in it is called: "curl command"
	// Key takes one flow in it from the copy menu; "" where nobody would paste it.
	Key string
	// Suffix is how the names of files in it end.
	Suffix string
	// Filter says which flows are written unless somebody says otherwise; "" for all.
	Filter string
	// HTTP is whether it has a form for HTTP only.
	HTTP bool
	// New begins a file. application names the program that writes it.
	New func(w io.Writer, application string) (Writer, error)
}

// Formats is the table, in the order in which people are shown it.
func Formats() []Format {
	return []Format{
		{
			Name: "har", Help: "an HTTP Archive, as browsers and other proxies read and write it", What: "HTTP Archive", Suffix: ".har", HTTP: true,
			New: func(w io.Writer, application string) (Writer, error) { return har.NewWriter(w, application), nil },
		},
		{
			Name: "mitm", Help: "a dump of mitmproxy, version 21, without TLS handshakes that failed", What: "dump", Suffix: ".mitm",
			New: func(w io.Writer, _ string) (Writer, error) { return mitmdump.NewWriter(w), nil },
		},
		{Name: "pcapng", Help: "packets as Wireshark opens them, made of what was said; TLS with its keys", What: "packets", Suffix: ".pcapng"},
		{Name: "jsonl", Help: "one JSON object a line: what show prints, with both bodies in base64", What: "JSON", Key: "J", Suffix: ".jsonl"},
		{Name: "csv", Help: "the keys of query as columns, all of them or those of --columns", What: "CSV", Suffix: ".csv"},
		{
			Name: "markdown", Help: "a report to read: of the marked flows, or those of FILTER; secrets are hidden", What: "report", Key: "m", Suffix: ".md", Filter: "~marked",
			New: func(w io.Writer, _ string) (Writer, error) { return report.NewWriter(w), nil },
		},
		{
			Name: "openapi", Help: "a sketch of the API that was seen, as OpenAPI 3.1", What: "OpenAPI document", Suffix: ".json", HTTP: true,
			New: func(w io.Writer, _ string) (Writer, error) { return openapi.NewWriter(w), nil },
		},
		tool("curl", "one curl command a flow, which sends its request again", "curl command", "c", ".sh", resend.ByCurl()),
		tool("httpie", "one command of HTTPie a flow, the same way", "HTTPie command", "i", ".sh", resend.ByHTTPie()),
		tool("python", "a program that sends the requests with Python's requests", "Python program", "p", ".py", resend.ByPython()),
		tool("go", "a program that sends them with Go's net/http", "Go program", "g", ".go", resend.ByGo()),
		tool("fetch", "a module that sends them with JavaScript's fetch", "fetch call", "f", ".mjs", resend.ByFetch()),
		tool("powershell", "a script that sends them with PowerShell's Invoke-WebRequest", "PowerShell command", "P", ".ps1", resend.ByPowerShell()),
		raw("raw", `requests and responses as they were on the wire, save that the sizes
of chunks are not kept, and that a head's first and closing line
end in CRLF where they ended in a bare LF`, "request and response as sent", "r", httptext.Both),
		raw("raw-request", "the requests alone, in the same way", "request as sent", "R", httptext.Requests),
		raw("raw-response", "the responses alone, in the same way", "response as sent", "S", httptext.Responses),
	}
}

func tool(name, help, what, key, suffix string, t resend.Tool) Format {
	return Format{
		Name: name, Help: help, What: what, Key: key, Suffix: suffix, HTTP: true,
		New: func(w io.Writer, _ string) (Writer, error) { return resend.NewWriter(w, t), nil },
	}
}

func raw(name, help, what, key string, halves httptext.Halves) Format {
	return Format{
		Name: name, Help: help, What: what, Key: key, Suffix: ".http",
		New: func(w io.Writer, _ string) (Writer, error) { return httptext.NewWriter(w, halves), nil },
	}
}

// Find returns a format by its name.
func Find(name string) (Format, bool) {
	for _, f := range Formats() {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}
