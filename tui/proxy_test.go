package tui

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// fakeProxy remembers what it is told.
type fakeProxy struct {
	modes  []string
	err    error
	again  []string
	passed int
}

func (p *fakeProxy) Modes() []string     { return p.modes }
func (p *fakeProxy) ModeNames() []string { return []string{"regular", "socks5"} }

func (p *fakeProxy) SetModes(_ context.Context, specs []string) error {
	if p.err == nil {
		p.modes = specs
	}
	return p.err
}

func (p *fakeProxy) InterceptAgain(host string) int {
	p.again = append(p.again, host)
	return p.passed
}

func TestModes(t *testing.T) {
	p := &fakeProxy{modes: []string{"regular@127.0.0.1:8080"}, passed: 2}
	drive(t, newFake(fakeRows(3)...), Options{Proxy: p}, 100, 24, func(d *driver) {
		d.keys(":")
		d.text("mode regular  socks5@1080")
		d.keys("enter")
		d.says("serving regular, socks5@1080")
		d.keys(":")
		d.text("set mode regular@8081")
		d.keys("enter")
		if got := strings.Join(p.modes, " "); got != "regular@8081" {
			t.Errorf("got %q", got)
		}
		d.keys(":")
		d.text("set colour red")
		d.keys("enter")
		d.says("no option colour")
		d.keys(":")
		d.text("mode")
		d.keys("enter")
		d.says("mode regular@8081") // to edit
		d.keys("esc")
		p.err = errors.New("address in use")
		d.keys(":")
		d.text("set mode=socks5")
		d.keys("enter")
		d.says("address in use")
		d.keys("P")
		d.says("opened again for 2 clients")
		p.passed = 0
		d.keys(":")
		d.text("intercept-again a.test")
		d.keys("enter")
		d.says("nothing is passed through by itself for a.test")
		if got := strings.Join(p.again, ","); got != ",a.test" {
			t.Errorf("asked for %q", got)
		}
	})
}

func TestNoProxy(t *testing.T) {
	drive(t, newFake(fakeRows(3)...), Options{}, 100, 24, func(d *driver) {
		d.keys("P")
		d.says("intercept-again: there is no proxy")
	})
}
