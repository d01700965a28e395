package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress tells a person how far something is that takes long: a line a second, and
// none of what takes less. Where nobody says how far it is, it tells now and then that
// it still goes on.
type progress struct {
	to   io.Writer
	end  chan struct{}
	done chan struct{} // closed when the goroutine has ended

	mu          sync.Mutex
	what        string // that goes on
	since, told time.Time
}

// stillEvery is how often is told of what does not tell itself.
const stillEvery = 2 * time.Second

// newProgress begins to tell; the caller stops it. The goroutine that it starts ends then.
func newProgress(std stdio, what string) *progress {
	now := time.Now()
	p := &progress{to: std.err, what: what, since: now, told: now, end: make(chan struct{}), done: make(chan struct{})}
	go p.run()
	return p
}

// stop ends the telling.
func (p *progress) stop() {
	close(p.end)
	<-p.done
}

func (p *progress) run() {
	defer close(p.done)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.still()
		case <-p.end:
			return
		}
	}
}

// still tells of what has told nothing for a while.
func (p *progress) still() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Sub(p.since) < time.Second || now.Sub(p.told) < stillEvery {
		return
	}
	fmt.Fprintf(p.to, "%s, for %d seconds so far\n", p.what, int(now.Sub(p.since).Seconds()))
	p.told = now
}

// of says how many of how many; a total of 0 is not known.
func (p *progress) of(what string, done, total uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if what != p.what {
		p.what, p.since = what, now
	}
	switch {
	case now.Sub(p.told) < time.Second:
		return
	case total == 0:
		fmt.Fprintln(p.to, what)
	default:
		fmt.Fprintf(p.to, "%s: %d of %d\n", what, done, total)
	}
	p.told = now
}

// step says at once what begins.
func (p *progress) step(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.what, p.since, p.told = what, time.Now(), time.Now()
	fmt.Fprintln(p.to, what)
}
