package har

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	flowpb "weir/proto"
)

// maxText bounds a body that is held in memory to see whether it is text, in
// bytes. Larger ones are written as base64, a piece at a time.
const maxText = 16 << 20

// Writer writes a HAR file, an entry at a time. Its first error stays: [Writer.Close] returns it too.
type Writer struct {
	w       *bufio.Writer
	entries int
	scratch []byte
	err     error
}

// NewWriter begins a file that says it was created by a program of this version.
func NewWriter(w io.Writer, version string) *Writer {
	out := &Writer{w: bufio.NewWriterSize(w, 64<<10)}
	out.print(`{"log":{"version":"1.2","creator":{"name":"weir","version":`)
	out.string(version)
	out.print("},\"pages\":[],\"entries\":[")
	return out
}

// Close ends the file. It does not close what is below.
func (w *Writer) Close() error {
	w.print("\n]}}\n")
	if err := w.w.Flush(); w.err == nil {
		w.err = err
	}
	return w.err
}

// Write adds a flow. For one that has no form the error is [flowpb.ErrNoForm], and
// nothing was written; after any other the file is broken.
func (w *Writer) Write(f *flowpb.Whole) error {
	h := f.Flow.GetHttp()
	if h.GetRequest() == nil || len(h.GetRequest().GetMethod()) == 0 {
		return flowpb.ErrNoForm
	}
	if w.entries++; w.entries > 1 {
		w.print(",")
	}
	w.print("\n")
	w.entry(f, h)
	return w.err
}

func (w *Writer) entry(f *flowpb.Whole, h *flowpb.Http) {
	meta := metaOf(f.Flow)
	spent := spentBy(f, h)
	w.print(`{"startedDateTime":"`)
	w.raw(appendMoment(w.scratch[:0], f.Flow.GetCreatedNs()))
	w.print(`","time":`)
	w.raw(appendSpan(w.scratch[:0], spent.sum()))
	w.print(`,"request":`)
	w.request(f, h.GetRequest(), meta)
	w.print(`,"response":`)
	w.response(f, h, meta)
	w.print(`,"cache":`)
	if cache, ok := meta.take(metaEntry + "cache"); ok {
		w.print(cache)
	} else {
		w.print("{}")
	}
	w.print(`,"timings":{`)
	w.timings(spent)
	w.members(meta.under(metaTimings), true)
	w.print("}")
	w.notes(f)
	if h.GetWebsocket() != nil {
		w.webSocket(f, meta)
	}
	w.members(meta.under(metaEntry), true)
	w.print("}")
}

// notes writes what stands beside request and response.
func (w *Writer) notes(f *flowpb.Whole) {
	if host := f.Server.GetPeer().GetHost(); len(host) > 0 {
		w.member("serverIPAddress", string(host))
	}
	if text := f.Flow.GetError().GetMessage(); text != "" {
		w.member("_error", text)
	}
	for _, m := range []struct{ name, text string }{
		{"comment", f.Note.Comment}, {"_marked", f.Note.Marked}, {"_highlight", f.Note.Highlight},
	} {
		if m.text != "" {
			w.member(m.name, m.text)
		}
	}
	for i, tag := range f.Note.Tags {
		w.print([]string{`,"_tags":[`, ","}[min(i, 1)])
		w.string(tag)
	}
	if len(f.Note.Tags) > 0 {
		w.print("]")
	}
}

func (w *Writer) request(f *flowpb.Whole, q *flowpb.Request, meta *metas) {
	w.print(`{"method":`)
	w.string(string(q.GetMethod()))
	w.member("url", address(f.Flow, meta))
	w.version(metaRequest, q.GetVersion(), meta)
	w.print(`,"cookies":`)
	w.cookies(q.GetHeaders())
	w.headers(q.GetHeaders(), q.GetTrailers())
	w.print(`,"queryString":`)
	w.query(string(q.GetPath()))
	b := q.GetBody()
	if b != nil && b.GetState() != flowpb.BodyDropped {
		w.postData(f, q)
	}
	w.print(`,"headersSize":`)
	w.int(headSize(q.GetVersion(), len(q.GetMethod())+len(q.GetTarget())+2, q.GetHeaders()))
	w.print(`,"bodySize":`)
	w.int(received(b))
	w.members(meta.under(metaRequest), true)
	w.print("}")
}

// address is the URL as the client meant it.
func address(f *flowpb.Flow, meta *metas) string {
	if url, ok := meta.take(metaURL); ok {
		return url
	}
	s := flowpb.Summarize(f)
	return s.URL()
}

// version writes the version by the name that the file used, if it was another than ours.
func (w *Writer) version(prefix string, v []byte, meta *metas) {
	if name, ok := meta.take(prefix + keyVersion); ok && json.Valid([]byte(name)) {
		w.print(`,"httpVersion":` + name)
		return
	}
	w.member(keyVersion, string(v))
}

func (w *Writer) response(f *flowpb.Whole, h *flowpb.Http, meta *metas) {
	p := h.GetResponse()
	w.print(`{"status":`)
	w.int(int64(p.GetStatus()))
	w.member("statusText", string(p.GetReason()))
	w.version(metaResponse, p.GetVersion(), meta)
	w.print(`,"cookies":`)
	w.setCookies(p.GetHeaders())
	w.headers(p.GetHeaders(), p.GetTrailers())
	w.print(`,"content":`)
	w.content(f, p, meta)
	location := flowpb.Get(p.GetHeaders(), "location")
	w.member("redirectURL", string(append(location, nil)[0]))
	w.print(`,"headersSize":`)
	if p == nil {
		w.print("-1")
	} else {
		w.int(headSize(p.GetVersion(), len(p.GetReason())+4, p.GetHeaders()))
	}
	w.print(`,"bodySize":`)
	if p == nil {
		w.print("-1")
	} else {
		w.int(received(p.GetBody()))
	}
	w.members(meta.under(metaResponse), true)
	w.print("}")
}

// received is how many bytes of the body came, content coding kept; -1: not known.
func received(b *flowpb.Body) int64 {
	switch {
	case b == nil:
		return 0
	case b.GetDecoded() && b.ReceivedSize != nil:
		return int64(b.GetReceivedSize())
	case b.GetDecoded():
		return -1
	}
	return int64(b.GetSize())
}

// headSize is how long a head of HTTP/1 was, start line and empty line included;
// -1 for others, which are not text. start is the start line's parts but the version.
func headSize(version []byte, start int, fields []*flowpb.Field) int64 {
	if !strings.HasPrefix(string(version), "HTTP/1") {
		return -1
	}
	n := start + len(version) + 2 + 2
	for _, f := range fields {
		if f.Raw != nil {
			n += len(f.GetRaw())
		} else {
			n += len(f.GetName()) + len(f.GetValue()) + 4
		}
	}
	return int64(n)
}

// headers writes the headers, and the trailers where there are any.
func (w *Writer) headers(headers, trailers []*flowpb.Field) {
	w.print(`,"headers":`)
	w.fields(headers)
	if len(trailers) > 0 {
		w.print(`,"_trailers":`)
		w.fields(trailers)
	}
}

func (w *Writer) fields(fs []*flowpb.Field) {
	w.print("[")
	for i, f := range fs {
		w.print([]string{"", ","}[min(i, 1)])
		w.print(`{"name":`)
		w.string(string(f.GetName()))
		w.member("value", string(f.GetValue()))
		if !utf8.Valid(f.GetValue()) {
			w.member("_base64", base64.StdEncoding.EncodeToString(f.GetValue()))
		}
		w.print("}")
	}
	w.print("]")
}

func (w *Writer) timings(p phases) {
	for i, name := range []string{"blocked", "dns", "connect", "ssl", "send", "wait", "receive"} {
		w.print([]string{"", ","}[min(i, 1)])
		w.print(`"` + name + `":`)
		if ns := *p.field(name); ns < 0 {
			w.print("-1")
		} else {
			w.raw(appendSpan(w.scratch[:0], ns))
		}
	}
}

// members writes raw members, each after a comma if more stands before.
func (w *Writer) members(list []*flowpb.Meta, more bool) {
	for _, m := range list {
		if more {
			w.print(",")
		}
		more = true
		w.string(m.GetKey())
		w.print(":")
		w.print(m.GetValue())
	}
}

func (w *Writer) member(name, text string) {
	w.print(`,"` + name + `":`)
	w.string(text)
}

func (w *Writer) int(n int64) { w.raw(strconv.AppendInt(w.scratch[:0], n, 10)) }

// string writes a JSON string. What is not UTF-8 becomes U+FFFD.
func (w *Writer) string(s string) {
	enc := json.NewEncoder(noNewline{w})
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil && w.err == nil {
		w.err = fmt.Errorf("write string: %w", err)
	}
}

// noNewline drops the line end that json.Encoder adds.
type noNewline struct{ w *Writer }

func (n noNewline) Write(p []byte) (int, error) {
	if len(p) > 0 && p[len(p)-1] == '\n' {
		n.w.raw(p[:len(p)-1])
	} else {
		n.w.raw(p)
	}
	return len(p), n.w.err
}

func (w *Writer) print(s string) {
	if w.err == nil {
		_, w.err = w.w.WriteString(s)
	}
}

func (w *Writer) raw(p []byte) {
	if w.err == nil {
		_, w.err = w.w.Write(p)
	}
}
