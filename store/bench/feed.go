package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"weir/store"
)

// Feed says who follows a capture. The zero value of each field is its default.
type Feed struct {
	Dir     string        // where the session is made, and removed again; the system's temporary directory
	Readers int           // other processes that look; 5
	For     time.Duration // how long flows arrive, and how long none do after that; 5 s each
	// Program is the command line of one reader: it calls [Follow] with the
	// session's path, which is appended, and its standard streams.
	Program []string
}

// FeedReport is what the readers saw.
type FeedReport struct {
	Flows   int          `json:"flows"`
	Readers []FeedReader `json:"readers"`
}

// FeedReader is what one process saw.
type FeedReader struct {
	Flows   int     `json:"flows"`    // that it saw arrive
	Delay   Spread  `json:"delay"`    // from the call that recorded a flow until it is in the reader's list
	Marks   int     `json:"marks"`    // of other readers that it saw
	Mark    Spread  `json:"mark"`     // from before a reader marks until another one sees it
	IdleCPU float64 `json:"idle_cpu"` // of a core, while nothing happens; negative where the system does not tell
}

// Run measures. Flows arrive at uneven distances, ten a second on average, so that
// each is waited for.
func (o Feed) Run(ctx context.Context) (report *FeedReport, err error) {
	if o.Readers <= 0 {
		o.Readers = 5
	}
	if o.For <= 0 {
		o.For = 5 * time.Second
	}
	if o.Dir, err = os.MkdirTemp(o.Dir, "weir-bench-"); err != nil {
		return nil, fmt.Errorf("bench feed: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.Dir)) }()
	if report, err = o.run(ctx, filepath.Join(o.Dir, "feed.weir")); err != nil {
		return nil, fmt.Errorf("bench feed: %w", err)
	}
	return report, nil
}

func (o Feed) run(ctx context.Context, path string) (_ *FeedReport, err error) {
	s, err := store.Create(ctx, path, store.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	w, err := s.NewWriter(ctx, store.WriterOptions{})
	if err != nil {
		return nil, err
	}
	var all []*reader
	defer func() {
		for _, r := range all {
			err = errors.Join(err, r.end())
		}
	}()
	for range o.Readers {
		r, err := startReader(ctx, append(o.Program[:len(o.Program):len(o.Program)], path))
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	report := &FeedReport{}
	if report.Flows, err = o.arrive(ctx, w); err != nil {
		return nil, err
	}
	for _, r := range all {
		r.say("rest")
	}
	if err := rest(ctx, o.For); err != nil {
		return nil, err
	}
	for _, r := range all {
		r.say("end")
		var saw FeedReader
		if err := json.NewDecoder(r.out).Decode(&saw); err != nil {
			return nil, fmt.Errorf("hear of a reader: %w", err)
		}
		report.Readers = append(report.Readers, saw)
	}
	return report, nil
}

// arrive records flows for a while, and waits until the last can have been seen.
func (o Feed) arrive(ctx context.Context, w *store.Writer) (n int, err error) {
	from := newSource(1 << 10)
	for began := time.Now(); time.Since(began) < o.For; n++ {
		f := from.flows[n%len(from.flows)]
		f.Id, f.CreatedNs = 0, time.Now().UnixNano()
		if err := w.Flow(ctx, f); err != nil {
			return n, err
		}
		if err := rest(ctx, time.Duration(rand.IntN(200))*time.Millisecond); err != nil {
			return n, err
		}
	}
	return n, rest(ctx, time.Second)
}

// reader is another process that follows the session.
type reader struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// startReader returns when the process follows.
func startReader(ctx context.Context, program []string) (*reader, error) {
	cmd := exec.CommandContext(ctx, program[0], program[1:]...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a reader: %w", err)
	}
	r := &reader{cmd: cmd, in: in, out: bufio.NewReader(out)}
	if _, err := r.out.ReadString('\n'); err != nil {
		return nil, errors.Join(fmt.Errorf("wait for a reader: %w", err), r.end())
	}
	return r, nil
}

// say tells the process what comes next. Whether it listens is seen by its answer.
func (r *reader) say(word string) { fmt.Fprintln(r.in, word) }

// end waits for the process, which ends when it is told nothing more.
func (r *reader) end() error {
	return errors.Join(r.in.Close(), r.cmd.Wait())
}
