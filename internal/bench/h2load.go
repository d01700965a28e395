package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"weir/proxy/h2"
)

// streamsAtOnce is how many requests a connection of HTTP/2 has open.
const streamsAtOnce = 4

// h2Window is what a connection may receive unasked, in bytes.
const h2Window = 1 << 24

// h2Client is a user of one proxy that speaks HTTP/2 in its tunnels.
type h2Client struct{ *client }

// h2User is one connection of an h2Client.
type h2User struct {
	conn   net.Conn
	state  *h2.Conn
	out    []byte
	fields []h2.Field
	want   []byte
	bodies map[uint32][]byte
	next   uint32 // stream
	owed   uint32 // bytes of the connection's window
}

// load keeps conns connections busy for the duration, with some requests at
// once on each, and is otherwise as client.load.
func (c h2Client) load(ctx context.Context, conns int, duration time.Duration, begin func() error) (loadResult, error) {
	users := make([]*h2User, 0, conns)
	defer func() {
		for _, u := range users {
			_ = u.conn.Close()
		}
	}()
	for range conns {
		t, err := c.dial(ctx)
		if err != nil {
			return loadResult{}, err
		}
		users = append(users, c.user(t.conn))
	}
	if err := begin(); err != nil {
		return loadResult{}, err
	}
	var total atomic.Int64
	var g errgroup.Group
	began := time.Now()
	for _, u := range users {
		g.Go(func() error {
			n, err := u.repeat(ctx, began.Add(duration))
			total.Add(n)
			return err
		})
	}
	err := g.Wait()
	return loadResult{requests: total.Load(), elapsed: time.Since(began)}, err
}

func (c h2Client) user(conn net.Conn) *h2User {
	u := &h2User{
		conn: conn, state: h2.NewConn(h2.Server, h2.Limits{}), want: smallBody(), bodies: make(map[uint32][]byte), next: 1,
		fields: []h2.Field{
			{Name: ":method", Value: "GET"},
			{Name: ":scheme", Value: "https"},
			{Name: ":authority", Value: c.target},
			{Name: ":path", Value: smallPath},
			{Name: "user-agent", Value: "weir-bench/1"},
			{Name: "accept", Value: "application/json"},
		},
	}
	u.out = u.state.AppendPreface(nil)
	u.out = u.state.AppendSettings(u.out, []h2.Setting{{ID: h2.SettingEnablePush}, {ID: h2.SettingInitialWindowSize, Value: h2Window}})
	u.out = u.state.AppendWindowUpdate(u.out, 0, h2Window)
	return u
}

// repeat asks until the deadline, takes what is then still open, and returns
// how often it was answered.
func (u *h2User) repeat(ctx context.Context, deadline time.Time) (n int64, err error) {
	buf := make([]byte, 64<<10)
	for {
		for u.state.Streams() < streamsAtOnce && time.Now().Before(deadline) && ctx.Err() == nil {
			u.out = u.state.AppendHeaders(u.out, u.next, u.fields, nil, true)
			u.next += 2
		}
		if len(u.out) > 0 {
			if _, err := u.conn.Write(u.out); err != nil {
				return n, fmt.Errorf("send requests: %w", err)
			}
			u.out = u.out[:0]
		}
		if u.state.Streams() == 0 {
			return n, ctx.Err()
		}
		m, err := u.conn.Read(buf)
		if err != nil {
			return n, fmt.Errorf("read answers: %w", err)
		}
		answered, err := u.take(buf[:m])
		n += answered
		if err != nil {
			return n, err
		}
	}
}

// take reads frames and returns how many answers they end.
func (u *h2User) take(p []byte) (n int64, err error) {
	u.state.Calm()
	for {
		took, ev, err := u.state.Feed(p)
		if err != nil {
			return n, err
		}
		p = p[took:]
		switch ev.Kind {
		case h2.NeedMore:
			return n, nil
		case h2.Settings:
			u.out = u.state.AppendSettingsAck(u.out)
		case h2.Ping:
			u.out = u.state.AppendPing(u.out, ev.Data, true)
		case h2.Message:
			if ev.Head.Status != 200 {
				return n, fmt.Errorf("answer with status %d", ev.Head.Status)
			}
		case h2.Data:
			u.bodies[ev.Stream] = append(u.bodies[ev.Stream], ev.Data...)
			if u.owed += uint32(len(ev.Data) + ev.Refund); u.owed > h2Window/2 {
				u.out = u.state.AppendWindowUpdate(u.out, 0, u.owed)
				u.owed = 0
			}
		case h2.Reset, h2.StreamError, h2.GoAway:
			return n, errors.New("the proxy gave a request up")
		}
		if ev.End {
			if body := u.bodies[ev.Stream]; !bytes.Equal(body, u.want) {
				return n, fmt.Errorf("body differs: %.200q", body)
			}
			delete(u.bodies, ev.Stream)
			n++
		}
	}
}
