package har

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	flowpb "weir/proto"
)

// Names of meta under which a flow keeps what it has no field for: the raw JSON of
// the member of that name in the entry, its request, and so on.
const (
	metaEntry    = "har."
	metaRequest  = "har.request."
	metaResponse = "har.response."
	metaContent  = "har.content."
	metaTimings  = "har.timings."
	metaURL      = "har.request.url"
	keyVersion   = "httpVersion"
)

// maxMeta bounds what one entry may keep as meta, in bytes.
const maxMeta = 1 << 20

// entry is one entry on its way to a flow.
type entry struct {
	flow    *flowpb.Flow
	http    *flowpb.Http
	bodies  map[flowpb.Side][]byte
	spent   phases
	total   int64  // "time", ns; -1: not told
	conn    string // the browser's number for the connection
	address string // serverIPAddress
	failure string // _error
	url     string // as it stands in the file
	meta    int    // bytes of it so far
}

// entry turns the bytes of one entry into a flow.
func (r *Reader) entry(raw []byte) (*flowpb.Whole, error) {
	e := &entry{
		flow: &flowpb.Flow{State: flowpb.StateComplete}, http: &flowpb.Http{},
		bodies: map[flowpb.Side][]byte{}, spent: noPhases(), total: -1,
	}
	e.flow.Protocol = &flowpb.Flow_Http{Http: e.http}
	w := &flowpb.Whole{Flow: e.flow}
	if value(raw).kind() != '{' {
		return nil, errors.New("it is not an object")
	}
	var messages, kind value
	for key, v := range value(raw).members() {
		switch key {
		case "startedDateTime":
			e.flow.CreatedNs = moment(v.text())
		case "time":
			if ns, ok := span(v); ok {
				e.total = ns
			}
		case "request":
			if err := e.request(v); err != nil {
				return nil, err
			}
		case "response":
			e.response(v)
		case "timings":
			e.timings(v)
		case "comment":
			w.Note.Comment = v.text()
		case "_marked":
			w.Note.Marked = v.text()
		case "_highlight":
			w.Note.Highlight = v.text()
		case "_tags":
			for tag := range v.elements() {
				w.Note.Tags = append(w.Note.Tags, tag.text())
			}
		case "serverIPAddress":
			e.address = strings.Trim(v.text(), "[]")
		case "connection":
			e.conn = v.text()
		case "_error":
			e.failure = v.text()
		case "_webSocketMessages":
			messages = v
		case "_resourceType": // of a WebSocket it says what its messages do
			kind = v
		case "cache": // says nothing in all files but old Firefox's
			if len(v) > 2 {
				e.keep(metaEntry, key, v)
			}
		default:
			e.keep(metaEntry, key, v)
		}
	}
	if e.http.Request == nil {
		return nil, errors.New("it has no request with a URL")
	}
	e.settle()
	e.webSocket(w, messages)
	if e.http.GetWebsocket() == nil {
		e.keep(metaEntry, "_resourceType", kind)
	}
	r.connect(e, w)
	w.Body = func(side flowpb.Side) (io.Reader, error) { return bytes.NewReader(e.bodies[side]), nil }
	return w, nil
}

// keep keeps a member that the flow has no field for.
func (e *entry) keep(prefix, key string, v value) {
	if v = trim(v); v.kind() == 'n' || len(v) == 0 {
		return
	}
	if e.meta += len(prefix) + len(key) + len(v); e.meta > maxMeta {
		return
	}
	e.flow.Meta = append(e.flow.Meta, &flowpb.Meta{Key: prefix + key, Value: strings.ToValidUTF8(string(v), "\ufffd")})
}

func (e *entry) say(key, text string) {
	e.flow.Meta = append(e.flow.Meta, &flowpb.Meta{Key: key, Value: text})
}

func (e *entry) request(v value) error {
	q := &flowpb.Request{}
	var url string
	var size uint64
	var post value
	for key, v := range v.members() {
		switch key {
		case "method":
			q.Method = v.bytes()
		case "url":
			url = v.text()
		case "httpVersion":
			q.Version = e.version(metaRequest, v)
		case "headers":
			q.Headers = fields(v)
		case "_trailers":
			q.Trailers = fields(v)
		case "bodySize":
			size, _ = v.size()
		case "postData":
			post = v
		case "queryString", "cookies", "headersSize": // are in the URL and the headers
		default:
			e.keep(metaRequest, key, v)
		}
	}
	if url == "" {
		return errors.New("its request has no URL")
	}
	e.target(q, url)
	if post.kind() == '{' {
		content := postData(post, q.GetHeaders())
		e.bodies[flowpb.SideRequest] = content
		q.Body = &flowpb.Body{State: flowpb.BodyComplete, Size: uint64(len(content)), Decoded: coded(q.GetHeaders())}
		if size != uint64(len(content)) && size > 0 && q.Body.Decoded {
			q.Body.ReceivedSize = &size
		}
	} else if size > 0 {
		q.Body = &flowpb.Body{State: flowpb.BodyDropped, Size: size}
	}
	e.http.Request = q
	return nil
}

// coded reports whether the fields name a content coding.
func coded(fs []*flowpb.Field) bool { return len(flowpb.Get(fs, "content-encoding")) > 0 }

// target takes the URL apart, without changing a byte of its parts.
func (e *entry) target(q *flowpb.Request, url string) {
	e.url = url
	url, _, _ = strings.Cut(url, "#")
	scheme, rest, found := strings.Cut(url, "://")
	if !found {
		scheme, rest = "", url
	}
	scheme = strings.ToLower(scheme)
	switch scheme { // a flow over WebSocket began as one over HTTP
	case "ws":
		scheme = "http"
	case "wss":
		scheme = "https"
	}
	at := strings.IndexAny(rest, "/?")
	if at < 0 {
		at = len(rest)
	}
	authority, path := rest[:at], rest[at:]
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	q.Scheme, q.Path, q.Target = []byte(scheme), []byte(path), []byte(path)
	host, port := splitAuthority(authority)
	if port == 0 {
		port = map[string]uint32{"http": 80, "https": 443}[scheme]
	}
	q.Host, q.Port, q.Authority = []byte(host), port, []byte(authority)
	for _, name := range []string{":authority", "host"} {
		if sent := flowpb.Get(q.GetHeaders(), name); len(sent) == 1 {
			q.Authority = sent[0]
			break
		}
	}
}

func splitAuthority(a string) (host string, port uint32) {
	if i := strings.LastIndexByte(a, ':'); i >= 0 && !strings.HasSuffix(a, "]") {
		if n, err := strconv.ParseUint(a[i+1:], 10, 16); err == nil {
			return strings.Trim(a[:i], "[]"), uint32(n)
		}
	}
	return strings.Trim(a, "[]"), 0
}

// versions are the names that programs give HTTP's versions, and weir's.
var versions = map[string]string{
	"http/1.0": "HTTP/1.0", "http/1.1": "HTTP/1.1", "http/0.9": "HTTP/0.9",
	"h2": "HTTP/2", "http/2": "HTTP/2", "http/2.0": "HTTP/2", "h2c": "HTTP/2",
	"h3": "HTTP/3", "http/3": "HTTP/3", "http/3.0": "HTTP/3", "h3-29": "HTTP/3", "h3-q050": "HTTP/3",
	"unknown": "",
}

// version returns weir's name for a version, and keeps another that the file uses.
func (e *entry) version(prefix string, v value) []byte {
	name := v.text()
	known, ok := versions[strings.ToLower(name)]
	if !ok {
		return []byte(name)
	}
	if known != name {
		e.keep(prefix, keyVersion, v)
	}
	return []byte(known)
}

func (e *entry) response(v value) {
	p := &flowpb.Response{}
	var content value
	var size uint64
	var sized bool
	for key, v := range v.members() {
		switch key {
		case "status":
			if n, ok := v.number(); ok && n > 0 && n < 1<<16 {
				p.Status = uint32(n)
			}
		case "statusText":
			p.Reason = notNil(v.bytes())
		case "httpVersion":
			p.Version = e.version(metaResponse, v)
		case "headers":
			p.Headers = fields(v)
		case "_trailers":
			p.Trailers = fields(v)
		case "content":
			content = v
		case "bodySize":
			size, sized = v.size()
		case "_error":
			e.failure = v.text()
		case "cookies", "headersSize", "redirectURL": // are in the headers
		default:
			e.keep(metaResponse, key, v)
		}
	}
	if p.GetStatus() == 0 && len(p.GetHeaders()) == 0 {
		return // how browsers write that none came
	}
	if len(p.GetReason()) == 0 && !strings.HasPrefix(string(p.GetVersion()), "HTTP/1") {
		p.Reason = nil
	}
	p.Body = e.content(content, p.GetHeaders())
	if b := p.GetBody(); b.GetDecoded() && sized && size != b.GetSize() {
		b.ReceivedSize = &size
	}
	e.http.Response = p
}

// content keeps the body of the response and describes it; nil: there is none.
func (e *entry) content(v value, headers []*flowpb.Field) *flowpb.Body {
	c := readContent(v)
	for key, v := range c.rest {
		e.keep(metaContent, key, v)
	}
	switch {
	case c.present:
		e.bodies[flowpb.SideResponse] = c.bytes(headers)
		n := uint64(len(e.bodies[flowpb.SideResponse]))
		return &flowpb.Body{State: flowpb.BodyComplete, Size: n, Decoded: coded(headers) && !c.undecoded}
	case c.size > 0:
		return &flowpb.Body{State: flowpb.BodyDropped, Size: c.size, Decoded: coded(headers)}
	}
	return nil
}

func notNil(p []byte) []byte {
	if p == nil {
		return []byte{}
	}
	return p
}
