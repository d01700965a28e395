package mitmdump

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	flowpb "weir/proto"
	"weir/proto/mitmdump/tnetstring"
)

// Writer writes a dump of version 21, a flow at a time.
type Writer struct{ w *bufio.Writer }

// NewWriter begins a dump; it has no beginning.
func NewWriter(w io.Writer) *Writer { return &Writer{bufio.NewWriterSize(w, 64<<10)} }

// Close writes what is left. It does not close what is below.
func (w *Writer) Close() error { return w.w.Flush() }

// Write adds a flow; bodies are read while they are written. For one that has no form the
// error is [flowpb.ErrNoForm], and nothing was written; after any other the file is broken.
func (w *Writer) Write(f *flowpb.Whole) error {
	e := encoding{f: f, id: flowID(f.Flow)}
	d, err := e.flow()
	if err != nil {
		return err
	}
	return tnetstring.Write(w.w, d)
}

// encoding is one flow being made into its state.
type encoding struct {
	f  *flowpb.Whole
	id string
}

func entry(key string, v any) tnetstring.Entry { return tnetstring.Entry{Key: key, Value: v} }

func (e *encoding) flow() (tnetstring.Dict, error) {
	f := e.f.Flow
	d := tnetstring.Dict{entry("version", int64(newest)), entry("id", e.id)}
	var err error
	switch p := f.GetProtocol().(type) {
	case *flowpb.Flow_Http:
		d = append(d, entry("type", "http"))
		d, err = e.http(d, p.Http)
	case *flowpb.Flow_Tcp, *flowpb.Flow_Udp:
		kind := "tcp"
		if f.GetUdp() != nil {
			kind = "udp"
		}
		var list tnetstring.List
		list, err = e.messages(streamMessage)
		d = append(d, entry("type", kind), entry("messages", list))
	case *flowpb.Flow_Dns:
		d = append(d, entry("type", "dns"), entry("request", dnsState(p.Dns.GetRequest(), true)), entry("response", dnsState(p.Dns.GetResponse(), false)))
		if p.Dns.GetRequest() == nil {
			return nil, flowpb.ErrNoForm
		}
	default:
		return nil, flowpb.ErrNoForm
	}
	if err != nil {
		return nil, err
	}
	return append(d, e.common()...), nil
}

// common is what all flows have.
func (e *encoding) common() tnetstring.Dict {
	f := e.f.Flow
	var failure any
	if x := f.GetError(); x != nil && x.GetMessage() != noResponse {
		text := x.GetMessage()
		if x.GetCode() == flowpb.CodeKilled {
			text = killed
		}
		at := x.GetAtNs()
		if at == 0 {
			at = f.GetCreatedNs()
		}
		failure = tnetstring.Dict{entry("msg", text), entry("timestamp", float(at))}
	}
	var replay any
	switch f.GetReplay() {
	case flowpb.ReplayRequest:
		replay = "request"
	case flowpb.ReplayResponse:
		replay = "response"
	}
	return tnetstring.Dict{
		entry("error", failure), entry("is_replay", replay), entry("intercepted", e.meta(metaIntercepted) == "true"),
		entry("marked", textOf([]byte(e.f.Note.Marked))), entry("comment", textOf([]byte(e.f.Note.Comment))), entry("metadata", e.metadata()),
		entry("timestamp_created", float(f.GetCreatedNs())),
		entry("client_conn", clientState(e.f.Client, e.connID("client", f.GetClientConn()), f.GetCreatedNs())),
		entry("server_conn", serverState(e.f.Server, e.connID("server", f.GetServerConn()), going(f))),
	}
}

func (e *encoding) meta(key string) string {
	for _, m := range e.f.Flow.GetMeta() {
		if m.GetKey() == key {
			return m.GetValue()
		}
	}
	return ""
}

// metadata is what mitmproxy's own metadata was, as far as JSON carried it.
func (e *encoding) metadata() tnetstring.Dict {
	var all map[string]any
	if err := json.Unmarshal([]byte(e.meta(metaData)), &all); err != nil {
		return tnetstring.Dict{} // there was none, or somebody else wrote it
	}
	return dictOf(all)
}

func dictOf(all map[string]any) tnetstring.Dict {
	d := tnetstring.Dict{}
	for key, v := range all {
		d = append(d, entry(key, valueOf(v)))
	}
	return d
}

func valueOf(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return dictOf(v)
	case []any:
		out := make(tnetstring.List, len(v))
		for i := range v {
			out[i] = valueOf(v[i])
		}
		return out
	}
	return v
}

// float is a time that may not be missing.
func float(ns int64) float64 {
	if f, ok := seconds(ns).(float64); ok {
		return f
	}
	return 0
}

// flowID is mitmproxy's id for a flow: the one it had, or a UUID made of weir's own.
func flowID(f *flowpb.Flow) string {
	for _, m := range f.GetMeta() {
		if m.GetKey() == metaID {
			return m.GetValue()
		}
	}
	sequence := f.GetUid().GetSequence()
	if sequence == 0 {
		sequence = f.GetId()
	}
	return uuid(f.GetUid().GetSession(), sequence)
}

// connID is an id for a connection: alike for all flows of one file that share it.
func (e *encoding) connID(side string, id uint64) string {
	if id == 0 {
		return uuid([]byte(side+e.id), 0)
	}
	return uuid(append([]byte(side), e.f.Flow.GetUid().GetSession()...), id)
}

// going is where an HTTP flow was going; nil for others.
func going(f *flowpb.Flow) *flowpb.Address {
	q := f.GetHttp().GetRequest()
	if len(q.GetHost()) == 0 {
		return nil
	}
	return &flowpb.Address{Host: q.GetHost(), Port: q.GetPort()}
}

// uuid makes a UUID of the free-form kind (RFC 9562, section 5.8) out of some bytes and a number.
func uuid(seed []byte, n uint64) string {
	var p [16]byte
	for i, c := range seed {
		p[i%10] = p[i%10]*31 + c
	}
	for i := range 6 {
		p[10+i] = byte(n >> (8 * (5 - i)))
	}
	p[6], p[8] = p[6]&0x0f|0x80, p[8]&0x3f|0x80
	h := hex.EncodeToString(p[:])
	return fmt.Sprintf("%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:])
}
