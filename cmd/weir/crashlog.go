package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"weir/proxy/contain"
)

// crashLog is where the stacks of weir's own mistakes are kept, to be reported, beside
// the sessions: an entry a mistake, the newest last.
const crashLog = "crash.log"

// maxCrashLog is how large the log may grow, in bytes. The one before it stays as crash.log.old.
const maxCrashLog = 1 << 20

// keepStack adds an entry to the crash log and returns the hint that says where it is.
func keepStack(now time.Time, text, stack string) (hint string) {
	path, err := appendCrash(fmt.Sprintf("%s weir %s: %s\n%s\n", now.UTC().Format(time.RFC3339), version(), text, stack))
	if err != nil {
		return "its details could not be kept: " + err.Error()
	}
	return "everything else goes on; please report it with the last entry of " + path
}

// mistakes tells of weir's own mistakes in captured packets, once for each place. It is for
// one goroutine.
type mistakes struct {
	tell func(text, hint string)
	told map[string]bool
}

// add takes a mistake.
func (m *mistakes) add(p *contain.PanicError) {
	if m.told[p.Place] {
		return
	}
	if m.told == nil {
		m.told = make(map[string]bool)
	}
	m.told[p.Place] = true
	text := "weir made a mistake with a captured connection, which is shown as it came: " + p.Error()
	m.tell(text, keepStack(time.Now(), text, string(p.Stack)))
}

// appendCrash writes an entry, and begins another file where that would be too long.
func appendCrash(entry string) (path string, err error) {
	dir, err := sessionDir()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the data directory: %w", err)
	}
	path = filepath.Join(dir, crashLog)
	if info, err := os.Stat(path); err == nil && info.Size() > maxCrashLog {
		if err := os.Rename(path, path+".old"); err != nil {
			return "", fmt.Errorf("put the crash log aside: %w", err)
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return "", fmt.Errorf("open the crash log: %w", err)
	}
	_, err = f.WriteString(entry)
	return path, errors.Join(err, f.Close())
}
