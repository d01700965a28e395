package ca

import (
	"container/list"
	"crypto/tls"
	"sync"
	"time"
)

// maxLeaves bounds the cache: about 2 KB each, so 2 MB at most with usual
// certificates.
const maxLeaves = 1024

// cache is a least-recently-used map from names to leaves. An entry goes in
// before its certificate exists; whoever needs it first signs it under the
// entry's Once while the others wait there, so the lock is never held for a
// signature.
type cache struct {
	limit int

	mu      sync.Mutex
	entries map[string]*list.Element // of *entry
	order   list.List                // most recently used first
}

type entry struct {
	key     string
	renewAt time.Time

	once sync.Once
	cert *tls.Certificate
	err  error
}

func newCache(limit int) *cache {
	return &cache{limit: limit, entries: make(map[string]*list.Element)}
}

// entry returns the entry for key, a new one when there is none or it is due
// for renewal at now. renewAt is for the new one.
func (c *cache) entry(key string, now, renewAt time.Time) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el, ok := c.entries[key]; ok {
		if e := el.Value.(*entry); now.Before(e.renewAt) {
			c.order.MoveToFront(el)
			return e
		}
		c.remove(el)
	}
	e := &entry{key: key, renewAt: renewAt}
	c.entries[key] = c.order.PushFront(e)
	if c.order.Len() > c.limit {
		c.remove(c.order.Back())
	}
	return e
}

// forget drops an entry that came to nothing, unless another has taken its
// place already.
func (c *cache) forget(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el, ok := c.entries[e.key]; ok && el.Value == e {
		c.remove(el)
	}
}

func (c *cache) remove(el *list.Element) {
	delete(c.entries, el.Value.(*entry).key)
	c.order.Remove(el)
}
