package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"weir/store"
	"weir/store/lock"
	"weir/tui"
	"weir/tui/sessions"
)

// library is the sessions that the interface offers beside the one that is open: those of
// its folder, and those of the data directory.
type library struct{ folders []string }

var _ tui.Library = library{}

// newLibrary returns the library of somebody who looks at these sessions.
func newLibrary(open ...*store.Session) library {
	var l library
	for _, s := range open {
		l.add(filepath.Dir(s.Path()))
	}
	if dir, err := sessionDir(); err == nil {
		l.add(dir)
	}
	return l
}

func (l *library) add(folder string) {
	if !slices.Contains(l.folders, folder) {
		l.folders = append(l.folders, folder)
	}
}

// List implements sessions.Source. A folder that cannot be read is an error only where
// there are no sessions in the others.
func (l library) List(ctx context.Context) ([]sessions.Entry, error) {
	var out []sessions.Entry
	var failed error
	for _, folder := range l.folders {
		_, paths, err := sessionFiles([]string{folder})
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
		for _, path := range paths {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if e, err := entryOf(path); err == nil { // else it has just gone
				out = append(out, e)
			}
		}
	}
	if len(out) > 0 {
		failed = nil
	}
	return out, failed
}

// entryOf is what the folder tells of a session, its -wal file counted in.
func entryOf(path string) (sessions.Entry, error) {
	info, err := os.Stat(path)
	if err != nil {
		return sessions.Entry{}, err
	}
	e := sessions.Entry{
		Path: path, Name: strings.TrimSuffix(filepath.Base(path), sessionSuffix),
		Bytes: info.Size(), Modified: info.ModTime().UnixNano(), Live: errors.Is(lock.Free(path), lock.ErrCapturing),
	}
	if wal, err := os.Stat(path + "-wal"); err == nil {
		e.Bytes += wal.Size()
		e.Modified = max(e.Modified, wal.ModTime().UnixNano())
	}
	return e, nil
}

// Describe implements sessions.Source.
func (l library) Describe(ctx context.Context, path string) (sessions.Facts, error) {
	s, err := store.Open(ctx, path, store.Options{ReadOnly: true, Beside: describing})
	if err != nil {
		return sessions.Facts{}, err
	}
	defer s.Close() // it was only read
	info, err := s.Info(ctx)
	if err != nil {
		return sessions.Facts{}, err
	}
	return sessions.Facts{Flows: info.Flows, Marked: info.Marked, First: info.First, Last: info.Last}, nil
}

// describing makes the caches of a session small that is only glanced at.
const describing = 8

// Open implements tui.Library.
func (l library) Open(ctx context.Context, paths []string, readOnly bool) (tui.Opened, error) {
	// The sessions outlive the command that opens them.
	v, err := openSource(context.WithoutCancel(ctx), paths, readOnly)
	if err != nil {
		return tui.Opened{}, err
	}
	if err := ctx.Err(); err != nil {
		return tui.Opened{}, errors.Join(err, v.Close())
	}
	return tui.Opened{Source: v, Exporter: v, Close: v.Close}, nil
}
