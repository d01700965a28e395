package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"weir/filter"
	flowpb "weir/proto"
	"weir/store"
	"weir/store/union"
)

// flows is what a command lists: one session, or several as one.
type flows interface {
	Select(ctx context.Context, q store.Query, yield func(id uint64) bool) error
	Rows(ctx context.Context, ids []uint64) ([]flowpb.Row, error)
	Count(ctx context.Context) (uint64, error)
	CountMatching(ctx context.Context, e filter.Expr) (int, error)
}

// shelf is the sessions that a command was given.
type shelf struct {
	flows
	session *store.Session // where there is one
	set     *union.Set     // where there are several
	// name is what they are called together, for people.
	name string

	options store.Options
	missing int      // sessions that were named and cannot be opened
	folders []string // of which new sessions join in
	tried   map[string]time.Time
}

// sessionsUse is how commands that take one session or several name their arguments.
const sessionsUse = "SESSION... [FILTER]"

// sessionsHelp says what those arguments may be.
const sessionsHelp = `A folder stands for all the sessions in it. Several sessions are one list: flows in
the order in which they began, each with the name of its session (~session). One that
cannot be opened is named and left out.`

// sessionArgs takes the arguments of a command apart: the paths of sessions, and what
// follows them. The first is a session in any case; further ones end in .weir or are folders.
func sessionArgs(args []string) (paths, rest []string) {
	n := 1
	for n < len(args) && isSessionArg(args[n]) {
		n++
	}
	return args[:n], args[n:]
}

func isSessionArg(arg string) bool {
	if strings.HasSuffix(arg, sessionSuffix) {
		return true
	}
	info, err := os.Stat(arg)
	return err == nil && info.IsDir()
}

// sessionsThenFilter checks the arguments of those commands.
func sessionsThenFilter(cmd *cobra.Command, args []string) error {
	if err := cobra.MinimumNArgs(1)(cmd, args); err != nil {
		return err
	}
	if _, rest := sessionArgs(args); len(rest) > 1 {
		return fmt.Errorf("%q follows the filter %q: sessions come first, and their names end in %s", rest[1], rest[0], sessionSuffix)
	}
	return nil
}

// readShelf opens sessions to read once and leave, in memory that suits how many flows
// they have. Trouble with one of several is told on standard error.
func readShelf(ctx context.Context, std stdio, paths []string) (*shelf, error) {
	s, err := openShelf(ctx, paths, store.Options{ReadOnly: true}, func(err error) { report(std.err, err) })
	if err != nil {
		return nil, err
	}
	flows, err := s.Count(ctx)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	boundHeap(flows)
	return s, nil
}

// openShelf opens sessions. Of several, trouble is told of those that cannot be opened.
func openShelf(ctx context.Context, paths []string, o store.Options, trouble func(error)) (*shelf, error) {
	files, err := expandFolders(paths)
	if err != nil {
		return nil, err
	}
	if len(files) == 1 && files[0] == paths[0] { // a folder may get more
		s, err := store.Open(ctx, files[0], o)
		if errors.Is(err, store.ErrFull) && !o.ReadOnly {
			s, err = store.Open(ctx, files[0], store.Options{ReadOnly: true}) // which takes no room
		}
		if err != nil {
			return nil, err
		}
		return &shelf{flows: s, session: s, name: s.Name()}, nil
	}
	set, troubles, err := union.Open(ctx, files, o)
	if err != nil {
		return nil, err
	}
	s := &shelf{flows: set, set: set, name: shelfName(paths, len(set.Sessions())), options: o, tried: map[string]time.Time{}}
	for _, t := range troubles {
		trouble(t.Err)
		if slices.Contains(paths, t.Path) {
			s.missing++
		}
	}
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			s.folders = append(s.folders, path)
		}
	}
	for _, file := range files {
		s.changed(file)
	}
	return s, nil
}

// changed reports whether a file is another than when that was last asked: one that
// cannot be opened is only tried again then.
func (s *shelf) changed(file string) bool {
	info, err := os.Stat(file)
	if err != nil {
		return false
	}
	last, known := s.tried[file]
	s.tried[file] = info.ModTime()
	return !known || !last.Equal(info.ModTime())
}

// join opens what has appeared in the folders since. It is called by one at a time.
func (s *shelf) join(ctx context.Context, trouble func(error)) {
	for _, folder := range s.folders {
		_, files, err := sessionFiles([]string{folder})
		if err != nil {
			continue // what is open stays so
		}
		for _, file := range files {
			if !s.changed(file) {
				continue
			}
			if err := s.set.Add(ctx, file, s.options); err != nil && ctx.Err() == nil {
				trouble(err)
			}
		}
	}
}

// expandFolders puts the sessions of a folder in its place, the last name first: names
// that are dates are the newest then, which counts where there are too many.
func expandFolders(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			files = append(files, path)
			continue
		}
		_, inside, err := sessionFiles([]string{path})
		if err != nil {
			return nil, err
		}
		if len(inside) == 0 && len(paths) == 1 {
			return nil, hinted(fmt.Errorf("open %q: no sessions are in this folder", path), "their names end in "+sessionSuffix)
		}
		slices.Reverse(inside)
		files = append(files, inside...)
	}
	return files, nil
}

// shelfName is a folder's name, or how many sessions there are.
func shelfName(paths []string, n int) string {
	if len(paths) == 1 {
		if abs, err := filepath.Abs(paths[0]); err == nil {
			return filepath.Base(abs) + string(filepath.Separator)
		}
	}
	return fmt.Sprintf("%d sessions", n)
}

// whole fails where a session that was named is not among what was printed. One of a
// folder is only told of.
func (s *shelf) whole() error {
	if s.missing > 0 {
		return fmt.Errorf("%d of the sessions could not be opened", s.missing)
	}
	return nil
}

// Close closes all sessions.
func (s *shelf) Close() error {
	if s.set != nil {
		return s.set.Close()
	}
	return s.session.Close()
}

// sessions are all of them.
func (s *shelf) sessions() []*store.Session {
	if s.set != nil {
		return s.set.Sessions()
	}
	return []*store.Session{s.session}
}

// at returns the session that has a flow, as an export reads it, and its number there.
func (s *shelf) at(id uint64, masked bool) (reading, uint64, error) {
	if s.set == nil {
		return reading{Session: s.session, masked: masked}, id, nil
	}
	session, number, err := s.set.At(id)
	place, _ := flowpb.Placed(id)
	return reading{Session: session, masked: masked, place: place}, number, err
}

// uuid is the identity of the session, where there is one; rows of several
// sessions know their own.
func (s *shelf) uuid() (id [16]byte) {
	if s.session != nil {
		id = s.session.UUID()
	}
	return id
}
