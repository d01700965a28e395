package filter

import (
	"weir/filter/rex"
	flowpb "weir/proto"
)

// operator is one row of the language's table. The lexer takes its names from
// here, the parser its arguments, completion, help and manual their texts, the
// matcher and the SQL plan the test, which is exactly one of column and content.
type operator struct {
	name    string // without the tilde
	group   string // the heading it stands under in the manual
	arg     argument
	help    string // one line, what the operator finds
	example string

	also []string // other names that people try, for the hint

	regex   rex.Options // of argRegex
	fixed   string      // the pattern of an operator without argument
	digits  int         // of argNumber: the length of classes such as 4xx; 0: none
	choices []choice    // of argChoice
	suggest []string    // arguments to offer where the session knows none

	column  columnTest
	content contentTest
}

// The groups, in the order of the manual.
const (
	groupKind    = "Kind of flow"
	groupState   = "State"
	groupAddress = "Address"
	groupOrigin  = "Where it was captured"
	groupMessage = "Request and response"
	groupContent = "Headers and content"
	groupNote    = "Notes"
)

// How regexes are read.
var (
	overText  = rex.Options{}
	overLines = rex.Options{Multiline: true}
	overBytes = rex.Options{Bytes: true}
	overHead  = rex.Options{Bytes: true, Multiline: true, CRLF: true}
	overBody  = rex.Options{Bytes: true, DotAll: true}
)

// assets is the media types of ~a.
const assets = `text/javascript|application/x-javascript|application/javascript|text/css|image/.*|font/.*|application/font.*`

var (
	onHTTP   = []flowpb.Kind{flowpb.KindHTTP}
	answered = []flowpb.Kind{flowpb.KindHTTP, flowpb.KindDNS}
	// bodied is what has bodies or messages, or counts as such.
	bodied = []flowpb.Kind{flowpb.KindHTTP, flowpb.KindTCP, flowpb.KindUDP, flowpb.KindDNS}
	// hosted is where ~d looks. A failed handshake has a host and nothing else.
	hosted = []flowpb.Kind{flowpb.KindHTTP, flowpb.KindTLS}
)

// operators is the language.
var operators = []*operator{
	{name: "all", group: groupKind, help: "every flow", example: "~all", also: []string{"any"}, column: factTest{}},
	{name: "http", group: groupKind, help: "HTTP flows, WebSocket among them", example: "~http", column: factTest{kinds: onHTTP}},
	{name: "websocket", group: groupKind, help: "WebSocket flows", example: "~websocket", also: []string{"ws", "websockets"}, column: factTest{kinds: onHTTP, mask: flowpb.FlagWebSocket, want: flowpb.FlagWebSocket}},
	{name: "sse", group: groupKind, help: "responses that are event streams", example: "~sse", column: factTest{mask: flowpb.FlagSSE, want: flowpb.FlagSSE}},
	{name: "grpc", group: groupKind, help: "gRPC calls", example: "~grpc", column: factTest{mask: flowpb.FlagGRPC, want: flowpb.FlagGRPC}},
	{name: "tcp", group: groupKind, help: "TCP flows", example: "~tcp", column: factTest{kinds: []flowpb.Kind{flowpb.KindTCP}}},
	{name: "udp", group: groupKind, help: "UDP flows", example: "~udp", column: factTest{kinds: []flowpb.Kind{flowpb.KindUDP}}},
	{name: "dns", group: groupKind, help: "DNS flows", example: "~dns", column: factTest{kinds: []flowpb.Kind{flowpb.KindDNS}}},
	{name: "tls", group: groupKind, help: "flows over TLS, failed handshakes among them", example: "~tls", column: factTest{mask: flowpb.FlagTLS, want: flowpb.FlagTLS}},
	{name: "a", group: groupKind, help: "assets: scripts, styles, images and fonts in the response", example: "~a", also: []string{"asset", "assets"}, fixed: assets, regex: rex.Options{Bytes: true, CaseSensitive: true}, column: textTest{kinds: onHTTP, texts: []text{responseType}}},

	{name: "q", group: groupState, help: "requests without a response (HTTP, DNS)", example: "~q", also: []string{"request", "req", "pending"}, column: factTest{kinds: answered, mask: flowpb.FlagResponse}},
	{name: "s", group: groupState, help: "flows with a response (HTTP, DNS)", example: "~s", also: []string{"response", "resp"}, column: factTest{kinds: answered, mask: flowpb.FlagResponse, want: flowpb.FlagResponse}},
	{name: "e", group: groupState, help: "flows that failed", example: "~e", also: []string{"error", "err", "failed"}, column: factTest{mask: flowpb.FlagError, want: flowpb.FlagError}},
	{name: "c", group: groupState, arg: argNumber, digits: 3, help: "status code of the response", example: "~c 4xx", also: []string{"code", "status", "statuscode"}, suggest: []string{"2xx", "3xx", "4xx", "5xx", ">=400", "404"}, column: numberTest{kinds: onHTTP, column: "ifnull(f.status, 0)", value: func(s *flowpb.Summary) int64 { return int64(s.Status) }}},
	{name: "replay", group: groupState, help: "flows that weir sent again", example: "~replay", also: []string{"replayed"}, column: replayTest{}},
	{name: "replayq", group: groupState, help: "flows whose request weir sent again", example: "~replayq", column: replayTest{half: flowpb.ReplayRequest}},
	{name: "replays", group: groupState, help: "flows that weir answered from a recording", example: "~replays", column: replayTest{half: flowpb.ReplayResponse}},
	{name: "id", group: groupState, arg: argNumber, help: "number of the flow in the session", example: "~id 5..10", also: []string{"number", "num"}, column: numberTest{column: "f.id", value: func(s *flowpb.Summary) int64 { return int64(s.ID) }}},

	{name: "time", group: groupState, arg: argTime, help: "when the flow began", example: "~time >-5m", also: []string{"at", "when", "since", "started", "date"}, suggest: []string{">-5m", ">-1h", ">-1d"}, column: timeTest{}},
	{name: "dur", group: groupState, arg: argDuration, help: "how long the flow took", example: "~dur >500ms", also: []string{"duration", "took", "slow"}, suggest: durations, column: numberTest{column: "ifnull(f.duration, -1)", value: func(s *flowpb.Summary) int64 { return s.Duration }, zero: true}},
	{name: "ttfb", group: groupState, arg: argDuration, help: "how long the response's first byte took", example: "~ttfb 100ms..2s", also: []string{"latency", "wait"}, suggest: durations, column: numberTest{column: "ifnull(f.ttfb, -1)", value: func(s *flowpb.Summary) int64 { return s.TTFB }, zero: true}},

	{name: "u", group: groupAddress, arg: argRegex, regex: overText, help: "URL of the request (HTTP), name asked for (DNS); the same without ~u", example: "~u /api/", also: []string{"url", "uri", "path"}, column: textTest{kinds: answered, texts: []text{url}}},
	{name: "d", group: groupAddress, arg: argRegex, regex: overText, help: "domain: the host, or the one in the Host header", example: "~d example.com", also: []string{"domain"}, column: textTest{kinds: hosted, texts: []text{host, namedHost}}},
	{name: "host", group: groupAddress, arg: argWord, help: "the host, or the one in the Host header, exactly", example: "~host api.example.com", also: []string{"hostname", "sni"}, column: textTest{texts: []text{host, namedHost}}},
	{name: "port", group: groupAddress, arg: argNumber, help: "port of the server", example: "~port 8000-8999", suggest: []string{"80", "443", "8080"}, column: numberTest{ref: siteOf("port"), value: func(s *flowpb.Summary) int64 { return int64(s.Port) }}},
	{name: "scheme", group: groupAddress, arg: argWord, help: "scheme of the URL, exactly", example: "~scheme https", suggest: []string{"http", "https"}, column: textTest{texts: []text{scheme}}},
	{name: "src", group: groupAddress, arg: argRegex, regex: overText, help: "address and port of the client", example: "~src 127.0.0.1", also: []string{"source", "client", "from"}, column: textTest{texts: []text{client}}},
	{name: "dst", group: groupAddress, arg: argRegex, regex: overText, help: "address and port of the server", example: "~dst :443", also: []string{"dest", "destination", "server", "to"}, column: textTest{texts: []text{server}}},

	{name: "agent", group: groupOrigin, arg: argRegex, regex: overText, help: "what captured the flow: the proxy, a sniffer, an import", example: "~agent ^proxy", also: []string{"captured", "by"}, suggest: []string{"proxy", "sniffer", "import"}, column: textTest{texts: []text{agent}}},
	{name: "session", group: groupOrigin, arg: argRegex, regex: overText, help: "name of the session that recorded the flow, its file's without .weir", example: "~session ^checkout", also: []string{"file"}, column: sessionTest{}},

	{name: "m", group: groupMessage, arg: argRegex, regex: overBytes, help: "method", example: "~m POST", also: []string{"method"}, suggest: []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}, column: textTest{kinds: onHTTP, texts: []text{method}}},
	{name: "ver", group: groupMessage, arg: argChoice, help: "HTTP version", example: "~ver h2", also: []string{"version", "proto", "alpn"}, choices: versions, column: textTest{kinds: onHTTP, texts: []text{version}}},
	{name: "t", group: groupMessage, arg: argRegex, regex: overBytes, help: "content type of request or response", example: "~t json", also: []string{"type", "mime", "contenttype"}, suggest: mediaTypes, column: textTest{kinds: onHTTP, texts: []text{requestType, responseType}}},
	{name: "tq", group: groupMessage, arg: argRegex, regex: overBytes, help: "content type of the request", example: "~tq form", suggest: mediaTypes, column: textTest{kinds: onHTTP, texts: []text{requestType}}},
	{name: "ts", group: groupMessage, arg: argRegex, regex: overBytes, help: "content type of the response", example: "~ts html", suggest: mediaTypes, column: textTest{kinds: onHTTP, texts: []text{responseType}}},

	{name: "size", group: groupMessage, arg: argSize, help: "bytes of both bodies, as stored; of a stream, both sides", example: "~size >1m", also: []string{"length", "bytes"}, suggest: sizes, column: numberTest{column: "coalesce(f.request_size + f.response_size, f.request_size, f.response_size, -1)", value: bothSizes, zero: true}},
	{name: "sizeq", group: groupMessage, arg: argSize, help: "bytes of the request's body", example: "~sizeq >=10k", suggest: sizes, column: numberTest{column: "ifnull(f.request_size, -1)", value: func(s *flowpb.Summary) int64 { return s.RequestSize }, zero: true}},
	{name: "sizes", group: groupMessage, arg: argSize, help: "bytes of the response's body", example: "~sizes 0", suggest: sizes, column: numberTest{column: "ifnull(f.response_size, -1)", value: func(s *flowpb.Summary) int64 { return s.ResponseSize }, zero: true}},

	{name: "h", group: groupContent, arg: argRegex, regex: overHead, help: "header line of request or response", example: `~h "server: nginx"`, also: []string{"header", "headers", "cookie"}, content: headersTest{request: true, response: true}},
	{name: "hq", group: groupContent, arg: argRegex, regex: overHead, help: "header line of the request", example: "~hq ^cookie:", content: headersTest{request: true}},
	{name: "hs", group: groupContent, arg: argRegex, regex: overHead, help: "header line of the response", example: "~hs ^set-cookie:", content: headersTest{response: true}},
	{name: "b", group: groupContent, arg: argRegex, regex: overBody, help: "body or message of either side", example: "~b password", also: []string{"body", "content", "text"}, content: bodyTest{request: true, response: true}},
	{name: "bq", group: groupContent, arg: argRegex, regex: overBody, help: "body of the request, message of the client", example: "~bq token=", content: bodyTest{request: true}},
	{name: "bs", group: groupContent, arg: argRegex, regex: overBody, help: "body of the response, message of the server", example: `~bs "\d{16}"`, content: bodyTest{response: true}},
	{name: "bm", group: groupContent, arg: argRegex, regex: overBody, help: "message of either side: WebSocket, TCP, UDP, server-sent event", example: "~bm subscribe", also: []string{"message", "messages", "frame", "msg"}, content: messageTest{}},
	{name: "meta", group: groupContent, arg: argRegex, regex: overLines, help: "what else is known of the flow, as lines \"key: value\"", example: "~meta ^source:", also: []string{"metadata"}, content: metaTest{}},

	{name: "marked", group: groupNote, help: "marked flows", example: "~marked", also: []string{"mark"}, fixed: ".", regex: rex.Options{DotAll: true}, column: noteTest{text: marker}},
	{name: "marker", group: groupNote, arg: argRegex, regex: overText, help: "text of the marker", example: "~marker red", column: noteTest{text: marker}},
	{name: "tag", group: groupNote, arg: argRegex, regex: overText, help: "one of the tags", example: "~tag ^login$", also: []string{"tags", "label"}, column: noteTest{text: tags}},
	{name: "comment", group: groupNote, arg: argRegex, regex: overLines, help: "comment", example: "~comment .", also: []string{"note", "notes"}, column: noteTest{text: comment}},
}

// versions is what ~ver takes. Sessions hold what the wire or an importer said.
var versions = []choice{
	{names: []string{"h1"}, values: []string{"HTTP/1.1", "HTTP/1.0", "HTTP/0.9"}, help: "any HTTP/1"},
	{names: []string{"h2", "2", "2.0", "http/2", "http/2.0"}, values: []string{"HTTP/2", "HTTP/2.0"}, help: "HTTP/2"},
	{names: []string{"h3", "3", "3.0", "http/3", "http/3.0"}, values: []string{"HTTP/3", "HTTP/3.0"}, help: "HTTP/3"},
	{names: []string{"1.0", "http/1.0"}, values: []string{"HTTP/1.0"}, help: "HTTP/1.0"},
	{names: []string{"1.1", "http/1.1"}, values: []string{"HTTP/1.1"}, help: "HTTP/1.1"},
}

// What completion offers for durations and sizes.
var (
	durations = []string{">100ms", ">500ms", ">1s", ">10s"}
	sizes     = []string{">10k", ">100k", ">1m", ">10m"}
)

// mediaTypes is what completion offers for content types.
var mediaTypes = []string{"json", "html", "javascript", "css", "image/", "font/", "xml", "form", "text/plain", "octet-stream"}

// lookup returns the operator of that name, nil if there is none.
func lookup(name string) *operator {
	for _, op := range operators {
		if op.name == name {
			return op
		}
	}
	return nil
}

// bare is the operator of a regex that stands alone.
func bare() *operator { return lookup("u") }
