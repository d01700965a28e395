//go:build !linux

package lock

import "os"

// takeTurn has no lock to take here: the one on the whole -lock file would be in
// its way. Everybody has the turn, and annotates when SQLite lets him.
func takeTurn(*os.File) bool { return true }
