package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// partSuffix is on the name of a session that is being put together.
const partSuffix = "-part"

// fresh makes a session at path, which must not exist, and has it filled. It gets its
// name when it is whole and on disk: what fails or is killed leaves no session that looks like one.
func fresh(ctx context.Context, path string, o Options, fill func(*Session) error) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("create session %q: %w", path, fs.ErrExist)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("create session %q: %w", path, err)
	}
	part := path + partSuffix
	o.Synchronous = SyncNormal // the last checkpoint brings all of it to the disk
	s, err := Create(ctx, part, o)
	if err != nil {
		return err
	}
	err = fill(s)
	if err = errors.Join(err, s.Close()); err != nil {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(part + suffix) // ours, and of no use to anybody
		}
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return fmt.Errorf("name session %q: %w", path, err)
	}
	return syncDir(filepath.Dir(path))
}
