package proxy

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"time"

	flowpb "weir/proto"
	"weir/proxy/h1"
	"weir/proxy/h2"
	"weir/proxy/record"
)

// What one flow may gather in its head, beyond the limits of its fields.
const (
	maxExtensions     = 1024     // chunk extensions of one body
	maxExtensionBytes = 64 << 10 // and their bytes
	maxInformational  = 100      // 1xx responses of one request
	maxInterimBytes   = 1 << 20  // and the bytes of their heads
)

// recorder is the sink as the connections use it: what has been seen is
// recorded even while the server is being stopped, and every error says that it
// came from recording.
type recorder struct{ sink Sink }

func (r recorder) conn(ctx context.Context, c *flowpb.Conn) error {
	return recorded(r.sink.Conn(context.WithoutCancel(ctx), c))
}

func (r recorder) flow(ctx context.Context, f *flowpb.Flow) error {
	return recorded(r.sink.Flow(context.WithoutCancel(ctx), f))
}

func (r recorder) body(ctx context.Context, flow uint64, side flowpb.Side, p []byte) error {
	return recorded(r.sink.Body(context.WithoutCancel(ctx), flow, side, p))
}

func (r recorder) message(ctx context.Context, m *flowpb.Message) error {
	return recorded(r.sink.Message(context.WithoutCancel(ctx), m))
}

func recorded(err error) error {
	if err == nil {
		return nil
	}
	return recordingFailure(err)
}

// httpRecord is the flow of one exchange in the making. Two goroutines may tell
// it what they saw, one for each half; the mutex gives the sink one at a time.
//
// The flow's fields point into the readers' heads. That holds because neither
// reader is fed the next message before the flow is over.
type httpRecord struct {
	to recorder

	mu       sync.Mutex
	dirty    bool // flow changed since the sink had it
	flow     flowpb.Flow
	http     flowpb.Http
	request  flowpb.Request
	response flowpb.Response
	bodies   [2]bodyRecord  // request, response
	interim  int            // bytes of the heads of the 1xx responses
	events   *record.Events // of the response; nil where it is none
}

// bodyRecord is one half's body.
type bodyRecord struct {
	body           flowpb.Body
	extensionBytes int
	done           bool // the message is over
}

func nowNs() int64 { return time.Now().UnixNano() }

// begin fills the flow from the request head.
func (r *httpRecord) begin(head *h1.Head, to route, path []byte, startedNs int64) {
	r.flow.Protocol = &flowpb.Flow_Http{Http: &r.http}
	r.flow.CreatedNs = startedNs
	r.flow.State = flowpb.StateRequest
	r.http.Request = &r.request
	q := &r.request
	q.Method, q.Target, q.Version = head.Method, head.Target, head.Version
	q.Path = path
	q.Scheme, q.Host, q.Port = []byte(to.scheme), []byte(to.host), uint32(to.port)
	q.Authority, _ = head.Get("Host")
	q.Headers = fieldsOf(head.Fields)
	q.StartedNs = startedNs
	if len(head.Method) == 0 || len(head.Start) != len(head.Method)+len(head.Target)+len(head.Version)+2 {
		q.StartLine = head.Start
	}
	if announcesBody(head) {
		r.openBody(&q.Body, 0, head.Framing == h1.FramingChunked)
	}
	r.dirty = true
}

// sentAs notes what the head that begin saw is a translation of.
func (r *httpRecord) sentAs(ev *h2.Event) {
	r.http.StreamId = ev.Stream
	r.bodies[0].body.Chunked = false
	r.request.StartLine = nil
	record.StreamRequest(&r.request, ev, string(r.request.Scheme))
}

// setHeader replaces the value of every request header of that name.
func (r *httpRecord) setHeader(name string, value []byte) {
	for _, f := range r.request.Headers {
		if strings.EqualFold(string(f.Name), name) {
			f.Value, f.Raw = value, nil
		}
	}
}

// announcesBody reports whether a message has a body, even an empty one.
func announcesBody(head *h1.Head) bool {
	return head.Framing != h1.FramingNone && head.Framing != h1.FramingTunnel
}

// openBody attaches the Body of one half.
func (r *httpRecord) openBody(to **flowpb.Body, half int, chunked bool) {
	b := &r.bodies[half].body
	b.State = flowpb.BodyStreaming
	b.Chunked = chunked
	*to = b
}

// data records body bytes of one side.
func (r *httpRecord) data(ctx context.Context, side flowpb.Side, p []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := &r.bodies[side-flowpb.SideRequest].body
	b.Size += uint64(len(p))
	if err := r.to.body(ctx, r.flow.Id, side, p); err != nil || r.events == nil || side != flowpb.SideResponse {
		return err
	}
	return r.events.Take(p, r.event(ctx))
}

// event returns what records a server-sent event of the response as of now.
func (r *httpRecord) event(ctx context.Context) func(*flowpb.Message) error {
	now := nowNs()
	return func(m *flowpb.Message) error {
		m.Flow, m.AtNs = r.flow.Id, now
		return r.to.message(ctx, m)
	}
}

// endEvents records the event that the end of the response cuts off. The caller
// holds mu.
func (r *httpRecord) endEvents(ctx context.Context) error {
	e := r.events
	if r.events = nil; e == nil {
		return nil
	}
	err := e.End(r.bodies[1].done, r.event(ctx))
	if wrong := e.Wrong(); wrong != "" {
		r.setNote("events", wrong)
	}
	return err
}

// extension records a chunk extension of one side, as long as there is room.
func (r *httpRecord) extension(side flowpb.Side, ext []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := &r.bodies[side-flowpb.SideRequest]
	b.extensionBytes += len(ext)
	if len(b.body.ChunkExtensions) < maxExtensions && b.extensionBytes <= maxExtensionBytes {
		b.body.ChunkExtensions = append(b.body.ChunkExtensions,
			&flowpb.ChunkExtension{Offset: b.body.Size, Extension: bytes.Clone(ext)})
	}
}

// requestEnd notes that the request is whole.
func (r *httpRecord) requestEnd(trailers []*flowpb.Field) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.request.Trailers = trailers
	r.request.EndedNs = nowNs()
	r.bodies[0].done = true
	r.bodies[0].body.State = flowpb.BodyComplete
	if r.flow.State == flowpb.StateRequest {
		r.flow.State = flowpb.StateWaiting
	}
	r.settle()
}

// informational adds a 1xx response. It reports false where there are too many.
// What head is a translation of, if it is one, is sent.
func (r *httpRecord) informational(head *h1.Head, sent *h2.Event) bool {
	p := &flowpb.Response{}
	if sent != nil {
		record.StreamResponse(p, sent)
		return r.addInterim(p, len(head.Raw))
	}
	fillResponse(p, head)
	p.Version, p.Reason, p.StartLine = bytes.Clone(p.Version), bytes.Clone(p.Reason), bytes.Clone(p.StartLine)
	for _, f := range p.Headers {
		f.Name, f.Value, f.Raw = bytes.Clone(f.Name), bytes.Clone(f.Value), bytes.Clone(f.Raw)
	}
	return r.addInterim(p, len(head.Raw))
}

// addInterim adds a 1xx response whose head has size bytes, and keeps p. It
// reports false where there are too many.
func (r *httpRecord) addInterim(p *flowpb.Response, size int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.StartedNs = nowNs()
	p.EndedNs = p.StartedNs
	r.http.Informational = append(r.http.Informational, p)
	r.interim += size
	r.dirty = true
	return len(r.http.Informational) <= maxInformational && r.interim <= maxInterimBytes
}

// responseHead fills the flow from the head of the final response, or from what
// head is a translation of.
func (r *httpRecord) responseHead(head *h1.Head, sent *h2.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.http.Response = &r.response
	r.response.StartedNs = nowNs()
	if sent == nil {
		fillResponse(&r.response, head)
	} else {
		record.StreamResponse(&r.response, sent)
		r.http.StreamId = sent.Stream
	}
	if announcesBody(head) {
		r.openBody(&r.response.Body, 1, head.Framing == h1.FramingChunked && sent == nil)
	}
	r.events = record.NewEvents(r.response.Headers)
	r.flow.State = flowpb.StateResponse
	r.dirty = true
}

// responseEnd notes that the response is whole.
func (r *httpRecord) responseEnd(trailers []*flowpb.Field) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.response.Trailers = trailers
	r.response.EndedNs = nowNs()
	r.bodies[1].done = true
	r.bodies[1].body.State = flowpb.BodyComplete
	r.settle()
}

// odd flags the flow with what is odd about one of its messages.
func (r *httpRecord) odd(side flowpb.Side, what h1.Oddity) {
	if what == 0 {
		return
	}
	key := "odd request"
	if side == flowpb.SideResponse {
		key = "odd response"
	}
	r.note(key, what.String())
}

// note says something about the flow that its fields do not, once for each key.
func (r *httpRecord) note(key, value string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.setNote(key, value)
}

func (r *httpRecord) setNote(key, value string) {
	for _, m := range r.flow.Meta {
		if m.Key == key {
			r.dirty = r.dirty || m.Value != value
			m.Value = value
			return
		}
	}
	r.flow.Meta = append(r.flow.Meta, &flowpb.Meta{Key: key, Value: value})
	r.dirty = true
}

// settle completes the flow once both halves are whole.
func (r *httpRecord) settle() {
	if r.bodies[0].done && r.bodies[1].done && r.flow.State == flowpb.StateResponse {
		r.flow.State = flowpb.StateComplete
	}
	r.dirty = true
}

// server notes the connection that the request goes out on.
func (r *httpRecord) server(id uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flow.ServerConn = id
	r.dirty = true
}

// save hands the flow to the sink if it changed.
func (r *httpRecord) save(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.saveLocked(ctx)
}

func (r *httpRecord) saveLocked(ctx context.Context) error {
	if !r.dirty {
		return nil
	}
	r.dirty = false
	return r.to.flow(ctx, &r.flow)
}

// end closes the flow for good: complete, or failed with f. Bodies that are
// still open were cut. A request that the server answered without reading it to
// the end is complete all the same.
func (r *httpRecord) end(ctx context.Context, f *flowError) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.bodies {
		if r.bodies[i].body.State == flowpb.BodyStreaming {
			r.bodies[i].body.State = flowpb.BodyCut
			r.dirty = true
		}
	}
	if err := r.endEvents(ctx); err != nil && f == nil {
		f = asFailure(err)
	}
	switch {
	case f != nil:
		r.flow.State, r.flow.Error = flowpb.StateError, f.record()
		r.dirty = true
	case r.flow.State != flowpb.StateComplete:
		r.flow.State = flowpb.StateComplete
		r.dirty = true
	}
	return r.saveLocked(ctx)
}

// record returns f as flows and connections keep it.
func (f *flowError) record() *flowpb.Error {
	return &flowpb.Error{
		Code: f.code, Message: record.Printable(f.message), Hint: record.Printable(f.hint), AtNs: nowNs(), Side: f.side,
	}
}

func fillResponse(p *flowpb.Response, head *h1.Head) {
	p.Version, p.Status, p.Reason = head.Version, uint32(head.Status), head.Reason
	p.Headers = fieldsOf(head.Fields)
	if head.Reason == nil || len(head.Start) != len(head.Version)+len(" 200 ")+len(head.Reason) {
		p.StartLine = head.Start
	}
}

// fieldsOf returns fields as the flow keeps them, in two allocations.
func fieldsOf(fields []h1.Field) []*flowpb.Field {
	if len(fields) == 0 {
		return nil
	}
	all := make([]flowpb.Field, len(fields))
	out := make([]*flowpb.Field, len(fields))
	for i := range fields {
		all[i].Name, all[i].Value, all[i].Raw = fields[i].Name, fields[i].Value, fields[i].Raw
		out[i] = &all[i]
	}
	return out
}
