package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
)

// idleBar is what an idle connection may take of weir's memory, the one to its
// server included: ten thousand of them stay under 400 MB.
const idleBar = 40_000

// benchIdle opens connections through weir, makes one request on each, and looks
// at what weir's memory is while nothing happens on them.
func benchIdle(ctx context.Context, b *bench) (err error) {
	n := b.idle
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("limit on open files: %w", err)
	}
	// Each is two files here, the client's and the origin's, and two of weir's.
	if most := int(limit.Cur)/2 - 200; n > most {
		b.progress("the limit on open files allows %d idle connections, not %d", most, n)
		n = most
	}
	origin, err := startOrigin(b.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, origin.close()) }()
	p, roots, err := b.startRecord(ctx, origin, filepath.Join(b.dir, "idle.weir"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	c := newClient(p.said[announceListening], origin.target(), roots)
	before, err := b.warmUp(ctx, p, c)
	if err != nil {
		return err
	}
	request := c.request(smallPath)
	for i := range n {
		t, err := c.dial(ctx)
		if err != nil {
			return fmt.Errorf("idle connection %d: %w", i+1, err)
		}
		defer t.close()
		t.buf, t.r = t.buf[:4<<10:4<<10], nil // what this side holds is not measured, but has to fit as well
		if err := t.once(request); err != nil {
			return fmt.Errorf("idle connection %d: %w", i+1, err)
		}
	}
	if _, err := p.settle(ctx); err != nil {
		return err
	}
	after, err := p.usage()
	if err != nil {
		return err
	}
	each := (after.rss - before.rss) / int64(n)
	b.table.add(result{what: fmt.Sprintf("%d idle connections, HTTPS, each with its server's", n), weir: megabytes(after.rss)})
	b.table.add(result{what: "  RSS a connection", weir: fmt.Sprintf("%.1f KB", float64(each)/1e3), bar: verdict{bar: fmt.Sprintf("≤ %d KB", idleBar/1000), met: each <= idleBar}})
	return nil
}

// once sends a request and reads the first part of the answer.
func (t *tunnel) once(request []byte) error {
	if _, err := t.conn.Write(request); err != nil {
		return err
	}
	_, err := t.conn.Read(t.buf)
	return err
}
