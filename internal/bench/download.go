package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// downloadBar is how much a download of any size may add to weir's memory.
const downloadBar = 20_000_000

// benchDownload fetches one large body through weir while it records, and
// compares three hashes: of what was sent, of what arrived, and of what the
// session holds afterwards.
func benchDownload(ctx context.Context, b *bench) (err error) {
	origin, err := startOrigin(b.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, origin.close()) }()
	session := filepath.Join(b.dir, "download.weir")
	p, roots, err := b.startRecord(ctx, origin, session)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	c := newClient(p.said[announceListening], origin.target(), roots)
	before, err := b.warmUp(ctx, p, c)
	if err != nil {
		return err
	}
	b.progress("downloading %s", megabytes(b.size))
	received := sha256.New()
	began := time.Now()
	if err := c.fetch(ctx, downloadPath+strconv.FormatInt(b.size, 10), received); err != nil {
		return err
	}
	took := time.Since(began)
	if _, err := p.settle(ctx); err != nil {
		return err
	}
	after, err := p.usage()
	if err != nil {
		return err
	}
	if err := p.stop(); err != nil {
		return err
	}
	if err := b.compareDownload(ctx, session, received); err != nil {
		return err
	}
	added := after.peak - before.rss
	b.table.add(result{what: fmt.Sprintf("download of %s, HTTPS, recorded", megabytes(b.size)), weir: fmt.Sprintf("%.0f MB/s", float64(b.size)/1e6/took.Seconds())})
	b.table.add(result{what: "  RSS before", weir: megabytes(before.rss)})
	b.table.add(result{what: "  RSS at most, above that", weir: megabytes(added), bar: underMB(added, downloadBar)})
	b.table.add(result{what: "  sent, received and stored bytes", weir: "equal", bar: verdict{bar: "equal", met: true}})
	return nil
}

// warmUp lets weir do once what it does for every connection, and answers with
// the memory it then has; its peak counts from there.
func (b *bench) warmUp(ctx context.Context, p *process, c *client) (usage, error) {
	for range 3 {
		if err := c.fetch(ctx, smallPath, io.Discard); err != nil {
			return usage{}, err
		}
	}
	if _, err := p.settle(ctx); err != nil {
		return usage{}, err
	}
	if err := p.resetPeak(); err != nil {
		return usage{}, err
	}
	return p.usage()
}

// fetch gets one path over a connection of its own.
func (c *client) fetch(ctx context.Context, path string, body io.Writer) error {
	t, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer t.close()
	if err := t.get(c.request(path), body); err != nil {
		return fmt.Errorf("get %s: %w", path, err)
	}
	return nil
}

// compareDownload fails unless what was received and what is stored is what the
// origin sends.
func (b *bench) compareDownload(ctx context.Context, session string, received hash.Hash) error {
	want := sha256.New()
	if _, err := io.Copy(want, downloadBody(b.size)); err != nil {
		return err
	}
	if !bytes.Equal(received.Sum(nil), want.Sum(nil)) {
		return fmt.Errorf("the client received other bytes than were sent: SHA-256 %x, want %x", received.Sum(nil), want.Sum(nil))
	}
	line, err := output(ctx, b.binary, "query", session, "~u "+downloadPath, "--format", "json")
	if err != nil {
		return err
	}
	var flow struct {
		ID           uint64 `json:"id"`
		ResponseSize int64  `json:"response_size"`
	}
	if err := json.Unmarshal(line, &flow); err != nil {
		return fmt.Errorf("find the download in the session: %w: %.200q", err, line)
	}
	if flow.ResponseSize != b.size {
		return fmt.Errorf("the session says that the download has %d bytes, want %d", flow.ResponseSize, b.size)
	}
	stored := sha256.New()
	cmd := exec.CommandContext(ctx, b.binary, "show", session, strconv.FormatUint(flow.ID, 10), "--body", "response")
	cmd.Stdout = stored
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("read the download from the session: %w", err)
	}
	if !bytes.Equal(stored.Sum(nil), want.Sum(nil)) {
		return fmt.Errorf("the session holds other bytes than were sent: SHA-256 %x, want %x", stored.Sum(nil), want.Sum(nil))
	}
	return nil
}
