package ca

import (
	"fmt"
	"testing"
	"time"
)

func TestCacheBound(t *testing.T) {
	c := newCache(3)
	now := time.Now()
	later := now.Add(time.Hour)
	get := func(key string) *entry { return c.entry(key, now, later) }
	a, b := get("a"), get("b")
	get("c")
	if get("a") != a {
		t.Error("a is not cached")
	}
	get("d") // b is the least recently used now.
	if got, want := c.order.Len(), 3; got != want || len(c.entries) != want {
		t.Fatalf("entries: got %d in order, %d by key, want %d", got, len(c.entries), want)
	}
	if get("a") != a {
		t.Error("a was dropped though it was used")
	}
	if get("b") == b {
		t.Error("b was kept though it was the oldest")
	}
	for i := range 100 {
		get(fmt.Sprint(i))
	}
	if got := len(c.entries); got != 3 {
		t.Errorf("entries: got %d, want 3", got)
	}
}

func TestCacheForget(t *testing.T) {
	c := newCache(3)
	now := time.Now()
	old := c.entry("a", now, now)
	renewed := c.entry("a", now, now.Add(time.Hour))
	if old == renewed {
		t.Fatal("an entry that was due is still there")
	}
	c.forget(old)
	if c.entry("a", now, now) != renewed {
		t.Error("forgetting the old entry dropped its successor")
	}
	c.forget(renewed)
	if got := len(c.entries); got != 0 {
		t.Errorf("entries: got %d, want 0", got)
	}
}
