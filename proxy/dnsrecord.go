package proxy

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	flowpb "weir/proto"
	"weir/proxy/dns"
	"weir/proxy/record"
)

// dnsRecord makes a flow of each question, with its answer, that pass between
// one client and one server. The messages as they came are messages of the flow.
// It takes datagrams (add), or bytes of a stream (dnsStream). Two goroutines may
// add to it, one a direction.
type dnsRecord struct {
	to           recorder
	server       string // for people
	identify     func(*flowpb.Flow)
	withoutHTTPS bool               // answers are passed on without HTTPS records
	patience     time.Duration      // with a question; 0 means answerPatience
	onFailure    func(query []byte) // is told of each question that gets no answer, under mu; may be nil

	mu       sync.Mutex
	open     []*dnsFlow // without an answer, the oldest first
	answered *dnsFlow   // the last that got one, which may get more (RFC 5936 §2.2)
	err      error      // the first that ended a direction
}

// dnsFlow is one question.
type dnsFlow struct {
	flow  *flowpb.Flow
	dns   flowpb.Dns
	key   dnsKey
	since time.Time
	query []byte // as it came
}

// dnsKey is what an answer has in common with its question.
type dnsKey struct {
	id       uint16
	question string
}

// Bounds of what is waited for: how many questions between one client and one
// server, and how long for each.
const (
	maxOpenQuestions = 1000
	answerPatience   = 30 * time.Second
)

// add records one message, and returns it as it is passed on.
func (r *dnsRecord) add(ctx context.Context, side flowpb.Side, p []byte) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if err := r.expire(ctx, now); err != nil {
		return nil, err
	}
	m, err := dns.Parse(p)
	f := r.flowOf(side, m)
	if f == nil {
		if f, err = r.begin(ctx, now, side, m, p, err); err != nil {
			return nil, err
		}
	} else if side == flowpb.SideResponse && f.dns.Response == nil {
		f.dns.Response = record.DNSMessage(m, now.UnixNano())
		f.note("response", err)
		if err := r.complete(ctx, f); err != nil {
			return nil, err
		}
	}
	msg := &flowpb.Message{Flow: f.flow.Id, Side: side, Type: flowpb.MessageData, AtNs: now.UnixNano(), Content: p}
	if err := r.to.message(ctx, msg); err != nil {
		return nil, err
	}
	if side == flowpb.SideResponse && r.withoutHTTPS && tellsHTTPS(m) {
		const noError = 0
		p = dns.Failure(p, noError)
		return p, r.injected(ctx, f, p)
	}
	return p, nil
}

// inject records an answer that is ours. Its flow stays open, to be failed.
func (r *dnsRecord) inject(ctx context.Context, p []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, _ := dns.Parse(p) // we made it
	f := r.flowOf(flowpb.SideResponse, m)
	if f == nil {
		return nil
	}
	return r.injected(ctx, f, p)
}

func (r *dnsRecord) injected(ctx context.Context, f *dnsFlow, p []byte) error {
	return r.to.message(ctx, &flowpb.Message{
		Flow: f.flow.Id, Side: flowpb.SideResponse, Type: flowpb.MessageData, AtNs: nowNs(), Content: p, Injected: true,
	})
}

// flowOf returns the flow that a message belongs to, nil where it begins one: a
// question that is asked again belongs to the one that is open.
func (r *dnsRecord) flowOf(side flowpb.Side, m *dns.Message) *dnsFlow {
	if m == nil {
		return nil
	}
	key := keyOf(m)
	for _, f := range r.open {
		if f.key == key || side == flowpb.SideResponse && f.key.id == key.id && key.question == "" {
			return f
		}
	}
	if side == flowpb.SideResponse && r.answered != nil && r.answered.key == key {
		return r.answered
	}
	return nil
}

func keyOf(m *dns.Message) dnsKey {
	k := dnsKey{id: m.ID}
	if len(m.Questions) > 0 {
		q := m.Questions[0]
		k.question = fmt.Sprintf("%s %d %d", bytes.ToLower(q.Name), q.Type, q.Class)
	}
	return k
}

// begin records a new flow. An answer that nobody asked for is one as well.
func (r *dnsRecord) begin(ctx context.Context, now time.Time, side flowpb.Side, m *dns.Message, p []byte, wrong error) (*dnsFlow, error) {
	f := &dnsFlow{since: now}
	f.flow = &flowpb.Flow{CreatedNs: now.UnixNano(), State: flowpb.StateWaiting, Protocol: &flowpb.Flow_Dns{Dns: &f.dns}}
	r.identify(f.flow)
	if m != nil {
		f.key = keyOf(m)
	}
	if side == flowpb.SideRequest {
		f.dns.Request, f.query = record.DNSMessage(m, now.UnixNano()), bytes.Clone(p)
		f.note("request", wrong)
	} else {
		f.dns.Response, f.flow.State = record.DNSMessage(m, now.UnixNano()), flowpb.StateComplete
		f.note("response", wrong)
	}
	if err := r.to.flow(ctx, f.flow); err != nil {
		return nil, err
	}
	if side == flowpb.SideRequest {
		if len(r.open) == maxOpenQuestions {
			if err := r.fail(ctx, r.open[0], r.unanswered()); err != nil {
				return nil, err
			}
		}
		r.open = append(r.open, f)
	}
	return f, nil
}

// note says in the flow what is wrong with a message.
func (f *dnsFlow) note(which string, err error) {
	if err != nil {
		f.flow.Meta = append(f.flow.Meta, &flowpb.Meta{Key: "dns " + which, Value: record.Printable(err.Error())})
	}
}

// complete records a flow that has its answer.
func (r *dnsRecord) complete(ctx context.Context, f *dnsFlow) error {
	r.forget(f)
	r.answered = f
	f.query = nil
	f.flow.State = flowpb.StateComplete
	return r.to.flow(ctx, f.flow)
}

func (r *dnsRecord) forget(f *dnsFlow) {
	r.open = slices.DeleteFunc(r.open, func(o *dnsFlow) bool { return o == f })
}

// fail records a flow that gets no answer any more.
func (r *dnsRecord) fail(ctx context.Context, f *dnsFlow, why *flowError) error {
	r.forget(f)
	f.flow.State, f.flow.Error = flowpb.StateError, why.record()
	if r.onFailure != nil {
		r.onFailure(f.query)
	}
	return r.to.flow(ctx, f.flow)
}

func (r *dnsRecord) unanswered() *flowError {
	return &flowError{code: flowpb.CodeTimeout, side: flowpb.SideResponse, message: r.server + " gave no answer"}
}

// longest is how long a question waits for its answer.
func (r *dnsRecord) longest() time.Duration {
	if r.patience > 0 {
		return r.patience
	}
	return answerPatience
}

// expire ends the questions that have waited for too long.
func (r *dnsRecord) expire(ctx context.Context, now time.Time) error {
	for len(r.open) > 0 && now.Sub(r.open[0].since) > r.longest() {
		if err := r.fail(ctx, r.open[0], r.unanswered()); err != nil {
			return err
		}
	}
	return nil
}

// waiting reports whether a question has no answer yet.
func (r *dnsRecord) waiting() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.open) > 0
}

// unansweredQueries returns the questions that are open, as they came.
func (r *dnsRecord) unansweredQueries() (all [][]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.open {
		all = append(all, f.query)
	}
	return all
}

// failed notes why a direction ended, if it is the first.
func (r *dnsRecord) failed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}

// end fails the questions that are open, and returns the error that ended the
// exchange.
func (r *dnsRecord) end(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := stopFailure(ctx, r.err)
	why := asFailure(err)
	if why == nil || isEndOfStream(err) {
		why, err = r.unanswered(), nil
	}
	for len(r.open) > 0 {
		if rerr := r.fail(ctx, r.open[0], why); rerr != nil {
			return rerr
		}
	}
	return err
}
