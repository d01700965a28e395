package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"
	"modernc.org/sqlite"

	"weir/filter"
	"weir/store/body"
	"weir/store/fault"
	"weir/store/lock"
	"weir/store/pack"
	"weir/store/upcall"
)

// Synchronous says how hard a commit presses the disk.
type Synchronous int

const (
	// SyncFull waits for the disk at every commit: a power cut loses nothing that
	// was committed. The default; with group commit it costs about a tenth.
	SyncFull Synchronous = iota
	// SyncNormal waits at checkpoints only: a power cut may lose the last commits
	// but never damages the file, and a killed process loses nothing.
	SyncNormal
)

// String is SQLite's name of the level, FULL or NORMAL.
func (s Synchronous) String() string {
	if s == SyncNormal {
		return "NORMAL"
	}
	return "FULL"
}

// Options says how a session is opened. The zero value is what a capture wants.
type Options struct {
	// ReadOnly refuses every write, notes and view state included, and never
	// changes the session file, a migration included.
	ReadOnly bool
	// Synchronous is the durability of commits; [SyncFull] by default.
	Synchronous Synchronous
	// Beside is how many other sessions are open beside this one: page caches are the
	// smaller, so that many sessions need little more memory than one.
	Beside int
	// Creator is written into a new session, as "weir 0.3.0". Empty: nothing is.
	Creator string
	// Bulk makes a session that one writer fills at once from what can be read again: see
	// bulk.go. Only Create looks at it; Synchronous then is of no use until that writer is closed.
	Bulk bool
}

// Sizes of the connections to one file. A page cache belongs to a connection and
// lives outside the Go heap, so that these numbers are most of a session's memory.
const (
	readConns  = 4
	readCache  = 4 << 20   // bytes a connection
	writeCache = 3 << 20   // bytes, the capturing connection: a whole batch, or pages of it are written twice
	noteCache  = 1 << 20   // bytes, notes and checkpoints
	leastCache = 256 << 10 // bytes a connection, of many sessions
	// busyWait is how long somebody waits for the write lock once it is his turn.
	busyWait = 10 * time.Second
)

// Session is one open session file. It is safe for concurrent use.
type Session struct {
	path     string
	self     os.FileInfo // the file at path when it was opened
	uuid     [16]byte
	created  int64 // ns since the epoch
	creator  string
	readOnly bool
	bulk     bool // made with Options.Bulk
	sync     Synchronous

	drv       *sqlite.Driver // carries the session's own SQL functions
	functions *upcall.Functions
	unpack    *pack.Unpacker // of pieces that the compactor coded
	read      *sql.DB        // query_only connections, at most readConns
	note      *sql.DB        // one connection for short transactions; nil when read-only

	// writing is held for each write transaction of this process; among processes it
	// is for the turnstile that each gets his turn.
	writing sync.Mutex
	turn    *lock.Turnstile // guarded by writing
	feed    feed
	glance  glance
	views   views

	mu     sync.Mutex
	writer *Writer // while there is one
	closed bool
}

// Create makes a new session file at path, readable by its owner only, and opens
// it. It fails, with an error that wraps [fs.ErrExist], if there is anything at path.
func Create(ctx context.Context, path string, o Options) (*Session, error) {
	if o.ReadOnly {
		return nil, fmt.Errorf("create session %q: %w", path, ErrReadOnly)
	}
	if err := create(ctx, path, o); err != nil {
		return nil, fmt.Errorf("create session %q: %w", path, err)
	}
	s, err := Open(ctx, path, o)
	if err != nil {
		return nil, err
	}
	s.bulk = o.Bulk
	return s, nil
}

// Open opens the session file at path. A file of an older format is brought up to
// date first. A file that cannot be written, or lies on a medium that cannot, is
// opened as if with Options.ReadOnly.
//
// Errors wrap [ErrNotSession], [ErrNewer], [ErrDamaged], [ErrOlder], [fs.ErrNotExist] or
// [fs.ErrPermission] where one of them fits, and then nothing was touched.
func Open(ctx context.Context, path string, o Options) (*Session, error) {
	s, err := open(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("open session %q: %w", path, err)
	}
	return s, nil
}

func open(ctx context.Context, path string, o Options) (*Session, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// SQLite's locks on the file must outlive the sniffing below, which closes a
	// descriptor of the same file; POSIX record locks would not. Where the
	// platform has no others this says so, and that is as good as it gets.
	if _, err := sqlite.OFDLocking(true); err != nil && !errors.Is(err, sqlite.ErrOFDLockingUnavailable) &&
		!errors.Is(err, sqlite.ErrOFDLockingTooLate) {
		return nil, err
	}
	if err := sniff(abs); err != nil {
		return nil, err
	}
	mode, readOnly := accessMode(abs, o.ReadOnly)
	s, err := openAs(ctx, abs, mode, readOnly, o)
	if errors.Is(err, ErrFull) && readOnly && !leftoverWAL(abs) {
		// There is no room for the -shm file, which who only looks at a whole file can do without.
		return openAs(ctx, abs, modeImmutable, readOnly, o)
	}
	return s, err
}

// openAs opens the file at path in a certain way.
func openAs(ctx context.Context, path string, mode access, readOnly bool, o Options) (s *Session, err error) {
	s = &Session{path: path, readOnly: readOnly, sync: o.Synchronous, drv: &sqlite.Driver{}}
	if s.self, err = os.Stat(path); err != nil {
		return nil, err
	}
	s.feed.init()
	s.glance.path = path + "-shm"
	s.turn = lock.NewTurnstile(path)
	if s.functions, err = registerFunctions(s.drv); err != nil {
		return nil, err
	}
	if s.unpack, err = pack.NewUnpacker(readConns, body.PieceSize); err != nil {
		return nil, err
	}
	cache := max(readCache/(1+max(o.Beside, 0)), leastCache)
	s.read = s.pool(dsn{mode: mode, cache: cache, queryOnly: true}, readConns)
	if !readOnly {
		s.note = s.pool(dsn{mode: mode, cache: min(noteCache, cache), synchronous: o.Synchronous}, 1)
	}
	if err := s.prepare(ctx); err != nil {
		_ = s.closePools()
		if mode == modeReadOnly && fault.Code(err) == fault.CodeCantOpen {
			return nil, fmt.Errorf("its -wal file can only be read where files can be made; copy both there: %w", err)
		}
		return nil, classify(err)
	}
	return s, nil
}

// prepare checks the format with the -wal file taken into account, brings it up
// to date, and reads what the file says of itself.
func (s *Session) prepare(ctx context.Context) error {
	version, err := userVersion(ctx, s.read)
	switch {
	case err != nil:
		return err
	case version > formatVersion:
		return newerError(version)
	case version < formatVersion && s.readOnly:
		return fmt.Errorf("format %d, this weir reads %d: %w", version, formatVersion, ErrOlder)
	case version < formatVersion:
		if err := migrate(ctx, s.note, migrations); err != nil {
			return err
		}
	}
	return s.readSelf(ctx)
}

// readSelf reads the session table.
func (s *Session) readSelf(ctx context.Context) error {
	var id []byte
	err := s.read.QueryRowContext(ctx, `SELECT
		(SELECT value FROM session WHERE key = 'uuid'),
		(SELECT value FROM session WHERE key = 'created'),
		(SELECT coalesce(value, '') FROM session WHERE key = 'creator')`).Scan(&id, &s.created, &s.creator)
	if err != nil {
		if code := fault.Code(err); ctx.Err() == nil && (code == 0 || code == fault.CodeError) {
			err = fmt.Errorf("%w: %w", ErrDamaged, err) // a table is missing, or holds something else
		}
		return err
	}
	if len(id) != len(s.uuid) {
		return fmt.Errorf("its uuid has %d bytes: %w", len(id), ErrDamaged)
	}
	copy(s.uuid[:], id)
	return nil
}

// UUID is the session's identity (UUIDv7, RFC 9562), the first half of a flow's
// identity across files.
func (s *Session) UUID() [16]byte { return s.uuid }

// Path is the absolute path of the session file.
func (s *Session) Path() string { return s.path }

// Name is the name of the session file without its suffix: what ~session finds.
func (s *Session) Name() string { return filter.SessionName(filepath.Base(s.path)) }

// DB is the connections that the session is read by. They are for packages that know the
// tables of a session: docs/session-format.md.
func (s *Session) DB() *sql.DB { return s.read }

// ReadOnly reports whether nothing can be written, because that was asked for or
// because the file cannot be.
func (s *Session) ReadOnly() bool { return s.readOnly }

// Close closes the session and, before it, its writer if it still has one. The
// error tells of flows that could not be written. Closing twice does nothing.
func (s *Session) Close() error {
	s.mu.Lock()
	w, closed := s.writer, s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	var err error
	if w != nil {
		err = w.Close()
	}
	s.feed.close()
	if e := s.closePools(); err == nil && e != nil {
		err = fmt.Errorf("close session %q: %w", s.path, e)
	}
	return err
}

// closePools closes the connections, the one that may write last: the last
// connection to a file folds the -wal file into it and removes it.
func (s *Session) closePools() error {
	err := s.read.Close()
	if s.note != nil {
		err = errors.Join(err, s.note.Close())
	}
	s.glance.close()
	return err
}

// create writes an empty session to path, which must not exist.
func create(ctx context.Context, path string, o Options) (err error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(abs, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(abs) // ours, and of no use to anybody
		}
	}()
	// What stands beside the path belongs to a session that is no longer there; whoever
	// still has that open keeps it, but must not share it with this one.
	for _, stale := range []string{abs + "-wal", abs + "-shm", abs + "-journal"} {
		if err := os.Remove(stale); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	s := &Session{path: abs, drv: &sqlite.Driver{}}
	db := s.pool(dsn{mode: modeReadWrite, cache: noteCache, synchronous: o.Synchronous}, 1)
	if err := build(ctx, db, id, time.Now().UnixNano(), o); err != nil {
		return errors.Join(err, db.Close())
	}
	if err := db.Close(); err != nil {
		return err
	}
	return syncDir(filepath.Dir(abs))
}
