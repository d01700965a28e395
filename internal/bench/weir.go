package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// What weir record, and the baseline, print when they are ready.
const (
	announceListening = "listening on "
	announceSession   = "session "
)

// build makes the weir binary, the way it ships, unless one was given.
func (b *bench) build(ctx context.Context) error {
	if b.binary != "" {
		return nil
	}
	if b.weir != "" {
		path, err := filepath.Abs(b.weir)
		b.binary = path
		return err
	}
	b.progress("building weir")
	path := filepath.Join(b.dir, "weir")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, "./cmd/weir")
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build weir: %w: %s", err, out)
	}
	b.binary = path
	return nil
}

// startRecord starts weir record into session and returns it with the roots its
// clients must trust.
func (b *bench) startRecord(ctx context.Context, origin *origin, session string) (*process, *x509.CertPool, error) {
	if err := b.build(ctx); err != nil {
		return nil, nil, err
	}
	config := session + "-config"
	args := []string{
		"record", "--listen", "127.0.0.1:0", "--upstream-ca", origin.caFile, "--config", config, "-o", session,
	}
	p, err := start(ctx, b.binary, args, announceListening, announceSession)
	if err != nil {
		return nil, nil, err
	}
	roots, err := readRoots(filepath.Join(config, "weir-ca-cert.pem"))
	if err != nil {
		return nil, nil, errors.Join(err, p.kill())
	}
	return p, roots, nil
}

// seed makes the session that view and keys look at, once.
func (b *bench) seed(ctx context.Context) error {
	if err := b.build(ctx); err != nil || b.session != "" {
		return err
	}
	path := filepath.Join(b.dir, "seeded.weir")
	if err := b.seedFlows(ctx, path, b.flows); err != nil {
		return err
	}
	b.session = path
	return nil
}

// seedFlows makes a session of so many flows, unless it is there from another time.
func (b *bench) seedFlows(ctx context.Context, path string, flows int) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	b.progress("seeding a session of %d flows", flows)
	began := time.Now()
	making := path + "-making" // half a session is none
	if _, err := output(ctx, b.binary, "bench", "seed", making, "--flows", strconv.Itoa(flows)); err != nil {
		return errors.Join(err, os.Remove(making))
	}
	took := time.Since(began)
	if err := os.Rename(making, path); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	syscall.Sync() // or the system writes the file back while the views are timed
	b.table.add(result{what: fmt.Sprintf("seed %d flows", flows), weir: fmt.Sprintf("%.0f/s", float64(flows)/took.Seconds())})
	b.table.add(result{what: "  file", weir: megabytes(info.Size())})
	return nil
}
