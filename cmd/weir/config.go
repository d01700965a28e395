package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// configDir is where the certificate authority lives: what --config names, else
// weir's folder in the user's configuration directory (XDG_CONFIG_HOME on Unix).
func configDir(flag string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	base, err := os.UserConfigDir()
	if err != nil {
		return "", hinted(fmt.Errorf("find the configuration directory: %w", err), "name one with --config")
	}
	return filepath.Join(base, "weir"), nil
}

// sessionDir is where sessions without a name of their own are made:
// XDG_DATA_HOME/weir, or what the platform uses for it.
func sessionDir() (string, error) {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "weir"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", hinted(fmt.Errorf("find the data directory: %w", err), "name a session with -o")
	}
	switch runtime.GOOS {
	case "windows":
		if dir := os.Getenv("LocalAppData"); dir != "" {
			return filepath.Join(dir, "weir"), nil
		}
		return filepath.Join(home, "AppData", "Local", "weir"), nil
	case "darwin":
		return filepath.Join(home, "Library", "Application Support", "weir"), nil
	default:
		return filepath.Join(home, ".local", "share", "weir"), nil
	}
}

// newSessionPath names a session by its start, in the data directory, which is
// made private if it is not there.
func newSessionPath(now time.Time) (string, error) {
	dir, err := sessionDir()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the session directory: %w", err)
	}
	base := filepath.Join(dir, now.Format("20060102-150405"))
	path := base + sessionSuffix
	for n := 2; exists(path); n++ {
		path = fmt.Sprintf("%s-%d%s", base, n, sessionSuffix)
	}
	return path, nil
}

const sessionSuffix = ".weir"

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
