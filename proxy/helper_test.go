package proxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	flowpb "weir/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a Sink that keeps everything, and checks the order of calls.
type memory struct {
	mu       sync.Mutex
	flows    []*flowpb.Flow // the last state of each, by id-1
	states   [][]flowpb.State
	conns    []*flowpb.Conn
	bodies   map[bodyKey][]byte
	messages []*flowpb.Message
	fail     error                            // returned by every call once set
	onBody   func(side flowpb.Side, p []byte) // called outside the lock
	changed  chan struct{}                    // closed and replaced at each call
}

type bodyKey struct {
	flow uint64
	side flowpb.Side
}

func newMemory() *memory {
	return &memory{bodies: map[bodyKey][]byte{}, changed: make(chan struct{})}
}

// enter locks and announces a change.
func (m *memory) enter() error {
	m.mu.Lock()
	close(m.changed)
	m.changed = make(chan struct{})
	return m.fail
}

func (m *memory) Conn(_ context.Context, c *flowpb.Conn) error {
	err := m.enter()
	defer m.mu.Unlock()
	if err != nil {
		return err
	}
	if c.Id == 0 {
		m.conns = append(m.conns, nil)
		c.Id = uint64(len(m.conns))
	}
	m.conns[c.Id-1] = proto.Clone(c).(*flowpb.Conn)
	return nil
}

func (m *memory) Flow(_ context.Context, f *flowpb.Flow) error {
	err := m.enter()
	defer m.mu.Unlock()
	if err != nil {
		return err
	}
	if f.Id == 0 {
		m.flows, m.states = append(m.flows, nil), append(m.states, nil)
		f.Id = uint64(len(m.flows))
	}
	m.flows[f.Id-1] = proto.Clone(f).(*flowpb.Flow)
	m.states[f.Id-1] = append(m.states[f.Id-1], f.State)
	return nil
}

func (m *memory) Body(_ context.Context, flow uint64, side flowpb.Side, p []byte) error {
	err := m.enter()
	defer m.mu.Unlock()
	if err != nil {
		return err
	}
	if flow == 0 {
		return errors.New("body before its flow")
	}
	if m.onBody != nil {
		m.onBody(side, p)
		return nil
	}
	k := bodyKey{flow, side}
	m.bodies[k] = append(m.bodies[k], p...)
	return nil
}

func (m *memory) Message(_ context.Context, msg *flowpb.Message) error {
	err := m.enter()
	defer m.mu.Unlock()
	if err != nil {
		return err
	}
	m.messages = append(m.messages, proto.Clone(msg).(*flowpb.Message))
	return nil
}

// await waits until cond, called under the lock, holds.
func (m *memory) await(t *testing.T, what string, cond func() bool) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		m.mu.Lock()
		ok, changed := cond(), m.changed
		m.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("%s: did not happen; flows: %v", what, m.flows)
		}
	}
}

// finished waits for flow id to be over and returns it.
func (m *memory) finished(t *testing.T, id uint64) *flowpb.Flow {
	t.Helper()
	var f *flowpb.Flow
	m.await(t, fmt.Sprintf("end of flow %d", id), func() bool {
		if uint64(len(m.flows)) < id {
			return false
		}
		f = m.flows[id-1]
		return f.State == flowpb.StateComplete || f.State == flowpb.StateError
	})
	return f
}

// conn returns the last state of connection id.
func (m *memory) conn(id uint64) *flowpb.Conn {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.conns[id-1]
}

// body returns what was recorded of one body.
func (m *memory) body(flow uint64, side flowpb.Side) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return string(m.bodies[bodyKey{flow, side}])
}

// start runs a proxy for the length of the test.
func start(t testing.TB, opts Options) (*Server, *memory) {
	t.Helper()
	sink := newMemory()
	if opts.Sink == nil {
		opts.Sink = sink
	}
	if opts.Listen == "" {
		opts.Listen = "127.0.0.1:0"
	}
	s, err := Listen(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, s)
	return s, sink
}

// serve has s serve for the length of the test.
func serve(t testing.TB, s *Server) {
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: got %v, want nil", err)
		}
	})
}

// origin runs a raw server; serve is called for each connection.
func origin(t *testing.T, serve func(p *peer)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				serve(newPeer(t, conn))
			})
		}
	})
	t.Cleanup(func() { ln.Close(); wg.Wait() })
	return ln.Addr().String()
}

// peer is one end of a conversation, spoken in raw bytes.
type peer struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
}

func newPeer(t testing.TB, conn net.Conn) *peer {
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return &peer{conn, t, bufio.NewReader(conn)}
}

// dial connects to a proxy.
func dial(t testing.TB, s *Server) *peer {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return newPeer(t, conn)
}

func (p *peer) send(s string) {
	if _, err := io.WriteString(p.Conn, s); err != nil {
		p.t.Errorf("send %.40q: %v", s, err)
	}
}

// expect reads exactly s.
func (p *peer) expect(s string) {
	p.t.Helper()
	got := make([]byte, len(s))
	n, err := io.ReadFull(p.r, got)
	if string(got[:n]) != s {
		p.t.Errorf("got %q (%v), want %q", got[:n], err, s)
	}
}

// head reads up to and with the empty line.
func (p *peer) head() string {
	p.t.Helper()
	var b strings.Builder
	for {
		line, err := p.r.ReadString('\n')
		b.WriteString(line)
		if err != nil || line == "\r\n" || line == "\n" {
			return b.String()
		}
	}
}

// rest reads to the end.
func (p *peer) rest() string {
	p.t.Helper()
	b, err := io.ReadAll(p.r)
	if err != nil {
		p.t.Errorf("read to the end: %v", err)
	}
	return string(b)
}

// get is a minimal request for a proxy.
func get(addr string) string {
	return "GET http://" + addr + "/ HTTP/1.1\r\nHost: " + addr + "\r\n\r\n"
}

// dialTo connects to addr whatever is asked for.
func dialTo(addr string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, addr)
	}
}
