package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
)

// What makes a SQLite file a session. The header fields are those of the SQLite
// file format, sqlite.org/fileformat2.html section 1.3.
const (
	applicationID = 0x77656972 // "weir"
	headerSize    = 100
)

// PageSize is the size of a session's pages in bytes. Those of 4 KB write at 0.6 of the
// rate, into a file half as large again.
const PageSize = 16 << 10

// sniff reads the header of the file at path, without SQLite, and says what is
// wrong with it. It changes nothing, not even the times of the file.
func sniff(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return fmt.Errorf("is a directory: %w", ErrNotSession)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("is no regular file: %w", ErrNotSession)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var h [headerSize]byte
	n, err := io.ReadFull(f, h[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	// In this order: where nobody is amid a transaction, the file is as long by now as the
	// header said.
	pending := leftoverWAL(path) || leftoverJournal(path)
	if info, err = f.Stat(); err != nil {
		return err
	}
	return judge(h[:n], info.Size(), pending)
}

// judge says what is wrong with a file of size bytes that begins with h. While commits
// or a transaction stand beside it the file itself may be behind its own header.
func judge(h []byte, size int64, pending bool) error {
	const magic = "SQLite format 3\x00"
	switch {
	case size == 0:
		return fmt.Errorf("the file is empty: %w", ErrNotSession)
	case len(h) < len(magic) || string(h[:len(magic)]) != magic:
		return ErrNotSession
	case len(h) < headerSize:
		return fmt.Errorf("cut off in its header: %w", ErrDamaged)
	case binary.BigEndian.Uint32(h[68:]) != applicationID:
		return fmt.Errorf("is another program's database: %w", ErrNotSession)
	}
	switch v := int(int32(binary.BigEndian.Uint32(h[60:]))); {
	case v > formatVersion:
		return newerError(v)
	case v < 1:
		return fmt.Errorf("format %d: %w", v, ErrDamaged)
	}
	page := int64(binary.BigEndian.Uint16(h[16:]))
	if page == 1 {
		page = 64 << 10
	}
	if want := page * int64(binary.BigEndian.Uint32(h[28:])); !pending && size < want {
		return fmt.Errorf("%d bytes long where its header says %d: %w", size, want, ErrDamaged)
	}
	return nil
}

func newerError(version int) error {
	return fmt.Errorf("format %d, this weir reads up to %d: %w", version, formatVersion, ErrNewer)
}

// leftoverWAL reports whether commits stand beside the file at path: somebody has
// it open, or was killed.
func leftoverWAL(path string) bool {
	info, err := os.Stat(path + "-wal")
	return err == nil && info.Size() > 0
}

// leftoverJournal reports whether a session is amid a transaction without a -wal file, or
// was when somebody was killed; who opens it for writing then takes that back.
func leftoverJournal(path string) bool {
	info, err := os.Stat(path + "-journal")
	return err == nil && info.Size() > 0
}

// access is how SQLite is asked to open a file.
type access string

const (
	modeReadWrite access = "mode=rw"
	modeReadOnly  access = "mode=ro"
	// modeImmutable reads without locks and without the -wal and -shm files that
	// could not be made on a medium that cannot be written.
	modeImmutable access = "mode=ro&immutable=1"
)

// accessMode decides how to open the file at path and whether it can be written.
//
// A read-only session is still opened for writing where that is possible and
// nobody has the file open: only then can SQLite take away again the -wal and -shm files
// that it needs while a file is open. Its connections are query_only, so nothing
// is written. Where commits stand in a -wal file they are read, and left there.
func accessMode(path string, readOnly bool) (access, bool) {
	writable := canWrite(path)
	switch {
	case writable && !readOnly:
		return modeReadWrite, false
	case leftoverWAL(path):
		return modeReadOnly, true
	case writable:
		return modeReadWrite, true
	default:
		return modeImmutable, true
	}
}

// canWrite reports whether the file at path, and files beside it, can be written.
// Nobody's write bit on the file is taken as "no", although root could.
func canWrite(path string) bool {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o222 == 0 || !dirWritable(path) {
		return false
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	return f.Close() == nil
}

// dsn is what the connections of one pool have in common.
type dsn struct {
	mode         access
	cache        int // bytes a connection
	queryOnly    bool
	synchronous  Synchronous
	noCheckpoint bool // somebody else does them
	noSpill      bool // the journals of its statements stay in memory: what they touch is little
	bulk         bool // see bulk.go
}

// String is the driver's name for the file at path. The file is hostile: it gets
// no say over functions (trusted_schema) and no way to corrupt itself (_defensive).
func (d dsn) String(path string) string {
	u := url.URL{Scheme: "file", Path: path}
	q := url.Values{"_defensive": {"1"}}
	q["_pragma"] = []string{
		"busy_timeout(" + strconv.FormatInt(busyWait.Milliseconds(), 10) + ")",
		"trusted_schema(0)",
		"cell_size_check(1)",
		"cache_size(-" + strconv.Itoa(d.cache>>10) + ")",
		"mmap_size(0)",
		"synchronous(" + d.synchronous.String() + ")",
	}
	if d.bulk {
		q["_pragma"] = append(q["_pragma"], "synchronous(OFF)", "cache_spill(0)")
	}
	if d.queryOnly {
		q["_pragma"] = append(q["_pragma"], "query_only(1)")
	} else {
		q.Set("_txlock", "immediate") // a lock taken late could fail after the work is done
	}
	if d.noCheckpoint {
		q["_pragma"] = append(q["_pragma"], "wal_autocheckpoint(0)", "journal_size_limit("+strconv.Itoa(maxWAL)+")")
	}
	if d.noSpill {
		q["_pragma"] = append(q["_pragma"], "temp_store(MEMORY)")
	}
	return u.String() + "?" + string(d.mode) + "&" + q.Encode()
}

// pool makes a pool of up to n connections to the session's file. None is opened yet.
func (s *Session) pool(d dsn, n int) *sql.DB {
	db := sql.OpenDB(connector{s: s, name: d.String(s.path)})
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db
}

// connector opens connections by the session's own driver, which carries its SQL functions.
type connector struct {
	s    *Session
	name string
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := c.s.unmoved(); err != nil {
		return nil, err // a connection to another file than the others have
	}
	return c.s.drv.Open(c.name)
}

func (c connector) Driver() driver.Driver { return c.s.drv }

// unmoved fails with [ErrMoved] if the file at the session's path is not the one
// that was opened: SQLite would go on writing to what nobody finds again.
func (s *Session) unmoved() error {
	if s.self == nil {
		return nil
	}
	switch now, err := os.Stat(s.path); {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: nothing is at its path", ErrMoved)
	case err != nil:
		return err
	case !os.SameFile(s.self, now):
		return fmt.Errorf("%w: another file is at its path", ErrMoved)
	}
	return nil
}

// syncDir makes a new name in the directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
