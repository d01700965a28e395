package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	flowpb "weir/proto"
	"weir/store/lock"
	"weir/store/rowid"
)

// What the test binary is when it runs as its own child: a role, and the session
// it plays it on.
const (
	roleVariable    = "WEIR_STORE_TEST_ROLE"
	sessionVariable = "WEIR_STORE_TEST_SESSION"

	roleCapture  = "capture"  // records until killed; prints each id that is on disk
	roleAnnotate = "annotate" // marks flows 1 to 20, one at a time
	roleSecond   = "second"   // tries to capture as well
	roleWatch    = "watch"    // waits for flow 2 and prints its host
	roleCompact  = "compact"  // records, compacts and drops until killed; prints each round
	roleFill     = "fill"     // the same as capture, in bulk into a session that it makes
	roleRemove   = "remove"   // removes flows 2 and 3; told to go on, brings them back
)

// play is the child's main. Its context is the process's life.
func play(role string) int {
	ctx := context.Background()
	open := Open
	if role == roleFill {
		open = Create
	}
	s, err := open(ctx, os.Getenv(sessionVariable), Options{Bulk: true})
	if err == nil {
		switch role {
		case roleCapture, roleFill:
			err = playCapture(ctx, s)
		case roleAnnotate:
			err = playAnnotate(ctx, s)
		case roleSecond:
			_, err = s.NewWriter(ctx, WriterOptions{})
			fmt.Println(errors.Is(err, lock.ErrCapturing), err)
			err = nil
		case roleWatch:
			err = playWatch(ctx, s)
		case roleRemove:
			err = playRemove(ctx, s)
		case roleCompact:
			err = playCompact(ctx, s)
		}
		err = errors.Join(err, s.Close())
	}
	if err != nil {
		fmt.Println("child:", err)
		return 1
	}
	return 0
}

// playCapture records as fast as it can and says meanwhile up to which flow all is on disk.
func playCapture(ctx context.Context, s *Session) error {
	w, err := s.NewWriter(ctx, WriterOptions{})
	if err != nil {
		return err
	}
	recorded := make(chan uint64, 1) // the last flow that was recorded whole
	go func() {                      // ends with the process
		for n := 1; ; n++ {
			f := httpFlow(n)
			err := errors.Join(w.Flow(ctx, f), w.Body(ctx, f.GetId(), flowpb.SideResponse, []byte("hello")))
			if err != nil {
				fmt.Println("child:", err)
				return
			}
			select {
			case <-recorded: // nobody has asked since
			default:
			}
			recorded <- f.GetId()
		}
	}()
	for {
		last := <-recorded
		if err := w.Flush(ctx); err != nil {
			return err
		}
		fmt.Println(last)
	}
}

func playAnnotate(ctx context.Context, s *Session) error {
	for id := uint64(1); id <= 20; id++ {
		mark := "by the child " + strconv.FormatUint(id, 10)
		if _, err := s.Annotate(ctx, []uint64{id}, NoteChange{Marked: &mark}); err != nil {
			return err
		}
	}
	return nil
}

func playWatch(ctx context.Context, s *Session) error {
	for seen := uint64(0); ; {
		fmt.Println("watching")
		var err error
		seen, err = s.Wait(ctx, seen)
		if err != nil {
			return err
		}
		rows, err := s.Rows(ctx, []uint64{2})
		if err != nil || len(rows) == 0 {
			continue
		}
		fmt.Println(rows[0].Host, seen)
		return nil
	}
}

func playRemove(ctx context.Context, s *Session) error {
	n, err := s.Remove(ctx, []uint64{2, 3})
	fmt.Println(n, err)
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
		return err
	}
	n, err = s.Undo(ctx)
	fmt.Println(n, err)
	return nil
}

// process is the test binary as its own child.
type process struct {
	*exec.Cmd
	said *bufio.Scanner // its standard output
	pipe io.Reader
	in   io.Writer // its standard input
}

// start starts the test binary in a role on the session.
func start(t *testing.T, role string, s *Session) *process { return startAt(t, role, s.Path()) }

// startAt starts it on what is, or will be, at a path.
func startAt(t *testing.T, role, path string) *process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.CommandContext(t.Context(), exe)}
	p.Env = append(os.Environ(), roleVariable+"="+role, sessionVariable+"="+path)
	p.Stderr = os.Stderr
	if p.pipe, err = p.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if p.in, err = p.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	p.said = bufio.NewScanner(p.pipe)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// finish waits for the process to end by itself.
func (p *process) finish() error {
	_, _ = io.Copy(io.Discard, p.pipe)
	return p.Wait()
}

// TestKilledCaptureLosesNothingAcknowledged kills a capture at full speed at a random
// moment, again and again: the file opens, is sound, and has all that was on disk by the capture's word.
func TestKilledCaptureLosesNothingAcknowledged(t *testing.T) {
	const roundsASession = 10
	var s *Session
	var ends map[uint64]bool // the last flow of each round: its head may be there and its body not
	for round := range soakRounds(t, 5) {
		if round%roundsASession == 0 {
			s, ends = newSession(t), map[uint64]bool{}
		}
		acknowledged := killCapture(t, start(t, roleCapture, s))
		if ends[acknowledged] || acknowledged == 0 {
			t.Fatalf("round %d: nothing acknowledged", round)
		}
		checkSurvivors(t, s.Path(), acknowledged, ends)
	}
}

// killCapture kills a capturing process somewhere within some hundredths of a second after it has got
// going, and returns the last flow that it said was on disk.
func killCapture(t *testing.T, p *process) (acknowledged uint64) {
	t.Helper()
	read := func() bool {
		if !p.said.Scan() {
			return false
		}
		n, err := strconv.ParseUint(p.said.Text(), 10, 64)
		if err != nil {
			t.Fatalf("the capturing process said %q", p.said.Text())
		}
		acknowledged = n
		return true
	}
	read()
	moment := time.AfterFunc(time.Duration(rand.IntN(60_000))*time.Microsecond, func() { _ = p.Process.Kill() }) // SIGKILL
	defer moment.Stop()
	for read() { // until it is dead, and what it had still said
	}
	_ = p.Wait()
	return acknowledged
}

// checkSurvivors opens the session afresh and looks for the flows up to last, with
// their bodies. Of those that were recorded last only the head may be there: it goes into the queue first.
func checkSurvivors(t *testing.T, path string, last uint64, ends map[uint64]bool) {
	t.Helper()
	again, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	n, err := again.Count(t.Context())
	if err != nil || n < last {
		t.Errorf("count: got %d, %v, want at least %d", n, err, last)
	}
	if n > last {
		ends[n] = true
	}
	problems, err := again.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		id, ok := strings.CutPrefix(p.Place, "body of flow ")
		if flow, err := strconv.ParseUint(id, 10, 64); !ok || err != nil || !ends[flow] {
			t.Errorf("verify: %v (acknowledged up to %d)", p, last)
		}
	}
	ids, err := rowid.Select(t.Context(), again.read, "SELECT id FROM flow ORDER BY id")
	if err != nil || uint64(len(ids)) != n || ids[n-1] != n {
		t.Errorf("flows: got %d, %v, want 1 to %d", len(ids), err, n)
	}
	// The dead writer's lock is gone with it.
	w, err := again.NewWriter(t.Context(), WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func TestOtherProcessAnnotatesDuringCapture(t *testing.T) {
	s, w := newWriter(t, WriterOptions{BatchDelay: time.Millisecond})
	for n := range 20 {
		record(t, w, httpFlow(n))
	}
	since, err := s.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// The change log is read on the way, as a view does: it does not reach back for ever.
	annotated := make(map[uint64]bool)
	follow := func() {
		ids, upto, truncated, err := s.Changes(t.Context(), since)
		if err != nil || truncated {
			t.Fatalf("changes: truncated %v, %v", truncated, err)
		}
		for since = upto; len(ids) > 0 && ids[0] <= 20; ids = ids[1:] {
			annotated[ids[0]] = true
		}
	}
	p := start(t, roleAnnotate, s)
	done := make(chan error, 1)
	go func() { done <- p.finish() }()
	n := 20
	for busy := true; busy; n++ {
		if err := w.Flow(t.Context(), httpFlow(n)); err != nil {
			t.Fatal(err)
		}
		if n%1000 == 0 {
			follow()
		}
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			busy = false
		default:
		}
	}
	flush(t, w)
	for id := uint64(1); id <= 20; id++ {
		note, err := s.Note(t.Context(), id)
		if want := fmt.Sprintf("by the child %d", id); err != nil || note.Marked != want {
			t.Errorf("mark of flow %d: got %q, %v, want %q", id, note.Marked, err, want)
		}
	}
	if follow(); len(annotated) != 20 {
		t.Errorf("changes: got the child's notes on %d flows, want 20", len(annotated))
	}
	if got, err := s.Count(t.Context()); err != nil || got != uint64(n) {
		t.Errorf("flows: got %d, %v, want %d", got, err, n)
	}
}

func TestSecondCaptureIsRefused(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	if _, err := s.NewWriter(t.Context(), WriterOptions{}); !errors.Is(err, lock.ErrCapturing) {
		t.Errorf("second writer in this process: got %v, want %v", err, lock.ErrCapturing)
	}
	p := start(t, roleSecond, s)
	p.said.Scan()
	want := fmt.Sprintf("true write session %q: another capture writes to this session (process %d)", s.Path(), os.Getpid())
	if got := p.said.Text(); got != want {
		t.Errorf("second writer in another process: got %q, want %q", got, want)
	}
	if err := p.finish(); err != nil {
		t.Error(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w, err := s.NewWriter(t.Context(), WriterOptions{})
	if err != nil {
		t.Errorf("writer after the first one closed: %v", err)
	} else if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func TestOtherProcessSeesCommits(t *testing.T) {
	s, w := newWriter(t, WriterOptions{BatchDelay: time.Millisecond})
	record(t, w, httpFlow(1))
	p := start(t, roleWatch, s)
	for p.said.Scan() {
		if p.said.Text() == "watching" {
			break
		}
	}
	record(t, w, httpFlow(2))
	for p.said.Scan() && p.said.Text() == "watching" {
	}
	if got := p.said.Text(); !strings.HasPrefix(got, "example.com ") {
		t.Errorf("the watching process: got %q, want the host of flow 2", got)
	}
	if err := p.finish(); err != nil {
		t.Error(err)
	}
}

// TestOtherProcessRemovesAndBringsBack sees a view follow what another process
// removes and brings back.
func TestOtherProcessRemovesAndBringsBack(t *testing.T) {
	s, _ := removing(t, 5)
	v := newView(t, s, Query{})
	p := start(t, roleRemove, s)
	for _, step := range []struct {
		said string
		want []uint64
	}{{"2 <nil>", []uint64{1, 4, 5}}, {"2 <nil>", []uint64{1, 2, 3, 4, 5}}} {
		if !p.said.Scan() || p.said.Text() != step.said {
			t.Fatalf("the other process: got %q, want %q", p.said.Text(), step.said)
		}
		status := Status{}
		for status.Len != len(step.want) {
			var err error
			if status, err = v.Wait(t.Context(), status.Version); err != nil {
				t.Fatal(err)
			}
		}
		if got := v.IDs(0, 10); !slices.Equal(got, step.want) || status.Total != len(step.want) {
			t.Errorf("view: got %v of %d, want %v", got, status.Total, step.want)
		}
		_, _ = p.in.Write([]byte{'\n'}) // go on; at the end nobody reads it
	}
	if err := p.finish(); err != nil {
		t.Error(err)
	}
}
