package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// besideSession is what SQLite and the writer keep beside a session, by suffix;
// the first is the session itself.
var besideSession = []string{"", "-wal", "-shm", "-journal", "-lock"}

// checkOutput refuses a target that is a session it would be made of, or one of
// the files beside that, by whatever name or link.
func checkOutput(path string, sessions ...string) error {
	if path == "" || path == "-" {
		return nil
	}
	for _, session := range sessions {
		if err := checkOutputOf(path, session); err != nil {
			return err
		}
	}
	return nil
}

func checkOutputOf(path, session string) error {
	if target, err := filepath.EvalSymlinks(session); err == nil {
		session = target // SQLite puts its files beside the real one
	}
	if target, err := followLink(path); err == nil {
		path = target
	}
	for _, suffix := range besideSession {
		if sameFile(path, session+suffix) {
			return usagef("-o %q: that is the session itself", path).withHint("choose another name; the session would be lost")
		}
	}
	return nil
}

// sameFile reports whether two names mean one file. One that is not there yet is
// known by its name and its folder.
func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	if errX == nil && errY == nil {
		return os.SameFile(x, y)
	}
	if filepath.Base(a) != filepath.Base(b) {
		return false
	}
	x, errX = os.Stat(filepath.Dir(a))
	y, errY = os.Stat(filepath.Dir(b))
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// followLink returns the file that a path means, links followed, the last of them
// also where it points at nothing yet.
func followLink(path string) (string, error) {
	target, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return target, err
	}
	link, err := os.Readlink(path)
	if err != nil {
		return path, nil // no link: a new file
	}
	if !filepath.IsAbs(link) {
		// Not cleaned: a ".." in it is for the system to follow.
		link = filepath.Dir(path) + string(filepath.Separator) + link
	}
	return link, nil
}

// intoFile lets write fill standard output, or the file at path. A regular file,
// new or not, appears whole or not at all: a new one for its owner alone, since
// traffic holds secrets; one that exists keeps its mode. What is no regular file
// (a pipe, a device) is written to as it is.
func intoFile(std stdio, path string, write func(io.Writer) error) error {
	if path == "" || path == "-" {
		return buffered(std.out, write)
	}
	mode := fs.FileMode(0o600)
	info, err := os.Stat(path)
	switch {
	case err == nil && isStdout(std, info): // -o /dev/stdout >> FILE
		return buffered(std.out, write)
	case err == nil && !info.Mode().IsRegular():
		return intoStream(path, write)
	case err == nil:
		mode = info.Mode().Perm()
	case !errors.Is(err, fs.ErrNotExist):
		return outputError(path, err)
	}
	target, err := followLink(path)
	if err != nil {
		return outputError(path, err)
	}
	return replaceFile(target, mode, write)
}

func isStdout(std stdio, info fs.FileInfo) bool {
	out, ok := std.out.(*os.File)
	if !ok {
		return false
	}
	have, err := out.Stat()
	return err == nil && os.SameFile(have, info)
}

// buffered lets write fill w through a buffer.
func buffered(w io.Writer, write func(io.Writer) error) error {
	buf := bufio.NewWriterSize(w, 64<<10)
	if err := write(buf); err != nil {
		return err
	}
	return buf.Flush()
}

func intoStream(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return outputError(path, err)
	}
	return errors.Join(buffered(f, write), f.Close())
}

// replaceFile writes beside the target and renames at the end.
func replaceFile(target string, mode fs.FileMode, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(target), ".weir-*")
	if err != nil {
		return outputError(target, err)
	}
	defer os.Remove(f.Name()) // a no-op once it was renamed
	err = buffered(f, write)
	if err == nil {
		err = f.Chmod(mode)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), target); err != nil {
		return outputError(target, err)
	}
	return nil
}

// outputError says what is wrong with the target of -o.
func outputError(path string, err error) error {
	wrapped := fmt.Errorf("write %q: %w", path, err)
	if dir := filepath.Dir(path); errors.Is(err, fs.ErrNotExist) {
		return hinted(wrapped, fmt.Sprintf("there is no folder %q; make it first, or choose another with -o", dir))
	}
	return wrapped
}
