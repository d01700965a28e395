package main

import (
	"os"
	"testing"
	"time"
)

func TestUsage(t *testing.T) {
	for began := time.Now(); time.Since(began) < 50*time.Millisecond; {
	}
	u, err := usageOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if u.rss < 1<<20 || u.peak < u.rss || u.cpu <= 0 || u.cpu > time.Hour {
		t.Errorf("got %+v, want plausible figures", u)
	}
	if _, err := usageOf(-1); err == nil {
		t.Error("figures of a process that does not exist")
	}
}

func TestStart(t *testing.T) {
	p, err := start(t.Context(), "sh", []string{"-c", "echo session x >&2; echo listening on y >&2; trap 'exit 0' INT; while :; do read line; done <&-"}, announceListening, announceSession)
	if err == nil {
		err = p.kill()
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := p.said[announceListening] + p.said[announceSession]; got != "yx" {
		t.Errorf("announced: got %q, want %q", got, "yx")
	}
	if _, err := start(t.Context(), "sh", []string{"-c", "echo no such session >&2"}, announceListening); err == nil {
		t.Error("a program that ended early was started")
	}
}
