package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"weir": main,
		// Scripts run the real command; what it does with its streams is part of the story.
	})
}

// TestScripts runs the stories in testdata/script: what a user types, what must
// come of it. With -short, which is how the race detector is run, only those in which
// much happens at once: a process takes most of a second to start with it.
func TestScripts(t *testing.T) {
	dir, files := "testdata/script", []string(nil)
	if testing.Short() {
		dir, files = "", []string{"testdata/script/record.txtar", "testdata/script/sniff.txtar", "testdata/script/retention.txtar"}
	}
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		Files:               files,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_GOLDEN") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("XDG_CONFIG_HOME", env.Cd+"/config")
			env.Setenv("XDG_DATA_HOME", env.Cd+"/data")
			env.Setenv("HOME", env.Cd+"/home")
			testdata, err := filepath.Abs("testdata")
			env.Setenv("TESTDATA", testdata) // what is no text
			return err
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"exits": exits, "damage": damage},
	})
}

// exits N COMMAND ARGS… runs a command and demands that exit code. What it printed
// is for the stdout and stderr commands, as after exec.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// damage FILE OFFSET COUNT overwrites so many bytes of a file.
func damage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: damage FILE OFFSET COUNT")
	}
	offset, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	count, err := strconv.Atoi(args[2])
	ts.Check(err)
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY, 0)
	ts.Check(err)
	defer f.Close()
	_, err = f.WriteAt(bytes.Repeat([]byte{0xa5}, count), offset)
	ts.Check(err)
}

// A command tree can be built twice, and every flag that offers completions exists.
func TestTree(t *testing.T) {
	std := stdio{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	if a, b := newRoot(std), newRoot(std); a == b {
		t.Error("the command tree is shared between runs")
	}
}

func TestExitCode(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want int
	}{
		{"done", nil, 0},
		{"failed", errors.New("no"), 1},
		{"cancelled", context.Canceled, 1},
		{"usage", usagef("no such flag"), 2},
		{"hinted", hinted(errors.New("no"), "do this"), 1},
	} {
		if got := exitCode(tt.err); got != tt.want {
			t.Errorf("%s: exit code %d, want %d", tt.name, got, tt.want)
		}
	}
}
