package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// repeatedFlows is how many flows are written again and again, and repeatedBody the
// bytes of each one's body.
const (
	repeatedFlows = 1000
	repeatedBody  = 20_000
)

// makeFlows writes a file of that format, of about that size: what weir exports of a
// seeded session, repeated.
func (b *bench) makeFlows(ctx context.Context, file, format string, size int64) error {
	session, sample := filepath.Join(b.dir, "sample.weir"), filepath.Join(b.dir, "sample."+format)
	defer removeAll(session, sample)
	if _, err := output(ctx, b.binary, "bench", "seed", session, "--flows", fmt.Sprint(repeatedFlows), "--body-size", fmt.Sprint(repeatedBody)); err != nil {
		return err
	}
	if _, err := output(ctx, b.binary, "export", session, "--format", format, "-o", sample); err != nil {
		return err
	}
	text, err := os.ReadFile(sample)
	if err != nil {
		return fmt.Errorf("read sample: %w", err)
	}
	before, entries, between, after := []byte(nil), text, "", []byte(nil)
	if format == "har" {
		if before, entries, after, err = cutEntries(text); err != nil {
			return err
		}
		between = ","
	}
	return repeat(file, size, before, entries, between, after)
}

// cutEntries cuts a HAR into what stands before, in, and behind its list of entries,
// which is the last thing in it.
func cutEntries(text []byte) (before, entries, after []byte, err error) {
	const mark = `"entries":[`
	begin, end := bytes.Index(text, []byte(mark)), bytes.LastIndexByte(text, ']')
	if begin < 0 || end < begin {
		return nil, nil, nil, errors.New("make HAR: no entries in the sample")
	}
	begin += len(mark)
	return text[:begin], bytes.TrimSpace(text[begin:end]), text[end:], nil
}

// repeat writes a file in which one text stands as often as it takes.
func repeat(file string, size int64, before, text []byte, between string, after []byte) (err error) {
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("repeat flows: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	written := int64(len(before) + len(after))
	if _, err := f.Write(before); err != nil {
		return fmt.Errorf("repeat flows: %w", err)
	}
	text = append([]byte(between), text...)
	for skip := len(between); written < size; skip = 0 { // nothing stands before the first
		n, err := f.Write(text[skip:])
		if err != nil {
			return fmt.Errorf("repeat flows: %w", err)
		}
		written += int64(n)
	}
	if _, err = f.Write(after); err != nil {
		return fmt.Errorf("repeat flows: %w", err)
	}
	return nil
}
