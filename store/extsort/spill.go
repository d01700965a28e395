package extsort

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
)

// spill is the file that takes what memory is not for, in blocks. Shards write to
// it side by side.
type spill struct {
	dir  string
	mu   sync.Mutex
	file *os.File // nil: not needed yet
	end  atomic.Int64
}

// open makes the file if there is none. Its name is given up at once where that
// does not take the file away, so that nothing is left behind whatever happens.
func (s *spill) open() (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil {
		return s.file, nil
	}
	f, err := createTemp(s.dir)
	if err != nil {
		return nil, fmt.Errorf("make a file to sort in: %w", err)
	}
	s.file = f
	if runtime.GOOS != "windows" {
		_ = os.Remove(f.Name()) // close tries again
	}
	return f, nil
}

// onDisk is where temporary files go that are to outlive memory: /tmp often is memory.
const onDisk = "/var/tmp"

// createTemp makes a temporary file, on a disk rather than in memory where nobody
// said otherwise.
func createTemp(dir string) (*os.File, error) {
	const pattern = "weir-sort-*"
	if dir == "" && os.Getenv("TMPDIR") == "" {
		if f, err := os.CreateTemp(onDisk, pattern); err == nil {
			return f, nil
		}
	}
	return os.CreateTemp(dir, pattern)
}

// write appends a block and returns where it is.
func (s *spill) write(block []byte) (offset int64, err error) {
	f, err := s.open()
	if err != nil {
		return 0, err
	}
	offset = s.end.Add(int64(len(block))) - int64(len(block))
	if _, err := f.WriteAt(block, offset); err != nil {
		return 0, fmt.Errorf("sort in a file: %w", err)
	}
	return offset, nil
}

// read fills a block from where write put it.
func (s *spill) read(block []byte, offset int64) error {
	if _, err := s.file.ReadAt(block, offset); err != nil {
		return fmt.Errorf("sort in a file: %w", err)
	}
	return nil
}

func (s *spill) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return nil
	}
	name := s.file.Name()
	err := s.file.Close()
	if runtime.GOOS == "windows" {
		err = os.Remove(name)
	}
	s.file = nil
	return err
}
