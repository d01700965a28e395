package proxy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	flowpb "weir/proto"
)

const (
	// maxUpstreams is how many idle server connections a client connection keeps.
	maxUpstreams = 4
	// maxStreamUpstreams is how many a client connection of HTTP/2 uses at once, and
	// keeps, where its servers speak HTTP/1, which answers one request at a time.
	maxStreamUpstreams = 32
)

// pool is the idle server connections of one client connection.
type pool struct {
	s     *Server
	slots chan struct{} // one for each that is in use; nil where the client asks one after the other

	mu   sync.Mutex
	open map[*upstream]struct{} // all of them, and those in use
	idle []*upstream            // the most recent first
	most int
}

func (s *Server) newPool() *pool {
	p := &pool{s: s, most: maxUpstreams, open: make(map[*upstream]struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pools[p] = struct{}{}
	return p
}

// newStreamPool returns the pool of a client that asks for many things at once.
func (s *Server) newStreamPool() *pool {
	p := s.newPool()
	p.most, p.slots = maxStreamUpstreams, make(chan struct{}, maxStreamUpstreams)
	return p
}

// own makes up one of those that end with p at the latest.
func (p *pool) own(up *upstream) {
	if up.owner == p {
		return
	}
	if up.owner != nil {
		up.owner.disown(up)
	}
	up.owner = p
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[up] = struct{}{}
}

// disown forgets a connection that is closed.
func (p *pool) disown(up *upstream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, up)
}

// take returns an idle connection to r, nil where there is none.
func (p *pool) take(r route) *upstream {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, up := range p.idle {
		if up.route == r {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			return up
		}
	}
	return nil
}

// put adds a connection that is idle from now on. It returns one to close, where
// they are too many.
func (p *pool) put(up *upstream) (over *upstream) {
	p.own(up)
	p.mu.Lock()
	defer p.mu.Unlock()
	up.idle = time.Now() // it may be closed by the time the next request comes
	if len(p.idle) == p.most {
		over = p.idle[p.most-1]
		p.idle = p.idle[:p.most-1]
	}
	p.idle = append([]*upstream{up}, p.idle...)
	return over
}

// close closes all, idle or forgotten by a mistake.
func (p *pool) close(ctx context.Context) {
	for _, up := range p.drain() {
		up.close(ctx, nil)
	}
}

// release closes the sockets of all that are left.
func (p *pool) release() {
	for _, up := range p.drain() {
		up.s.release(up.raw)
	}
}

// takeAll returns the idle connections, which are no longer the pool's.
func (p *pool) takeAll() []*upstream {
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := p.idle
	p.idle = nil
	return idle
}

// drain ends the pool and returns all connections.
func (p *pool) drain() []*upstream {
	p.s.mu.Lock()
	delete(p.s.pools, p)
	p.s.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = nil
	return slices.Collect(maps.Keys(p.open))
}

// enter waits until one more connection may be used.
func (p *pool) enter(ctx context.Context, patience time.Duration) error {
	if p.slots == nil {
		return nil
	}
	var late <-chan time.Time
	if patience > 0 {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-late:
		return &flowError{
			code: flowpb.CodeTimeout, side: flowpb.SideRequest, status: 504,
			message: fmt.Sprintf("the request waited too long for one of the %d connections that a client has to its HTTP/1 servers", cap(p.slots)),
		}
	}
}

// leave is the end of what enter allowed.
func (p *pool) leave() {
	if p.slots != nil {
		<-p.slots
	}
}

// open returns a connection of this client to r: an idle one, or a new one. It is
// for one exchange, which ends with keep or drop.
func (c *client) open(ctx context.Context, r route, fresh bool) (up *upstream, err error) {
	if err := c.pool.enter(ctx, c.s.opts.Timeouts.Silence); err != nil {
		return nil, err
	}
	defer func() {
		if up == nil {
			c.pool.leave()
		}
	}()
	for up := c.pool.take(r); up != nil; up = c.pool.take(r) {
		if !fresh && up.alive() {
			return up, nil
		}
		up.close(ctx, nil)
	}
	return c.connectHTTP1(ctx, r)
}

// keep ends the use of up, which can take another request.
func (c *client) keep(ctx context.Context, up *upstream) {
	c.stow(ctx, up)
	c.pool.leave()
}

// stow adds a connection that no exchange used yet.
func (c *client) stow(ctx context.Context, up *upstream) {
	if over := c.pool.put(up); over != nil {
		over.close(ctx, nil)
	}
}

// drop ends the use of up, which can take no other.
func (c *client) drop(ctx context.Context, up *upstream, err error) {
	up.close(ctx, err)
	c.pool.leave()
}
