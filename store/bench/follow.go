package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	flowpb "weir/proto"
	"weir/store"
)

// Follow is the part of a reader in a [Feed]: it follows the session at path, prints
// "ready", then, when it is told to on in, measures what resting costs and prints what it saw.
func Follow(ctx context.Context, path string, in io.Reader, out io.Writer) (err error) {
	s, err := store.Open(ctx, path, store.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	v, err := s.View(ctx, store.Query{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	f := &follower{session: s, view: v, me: strconv.Itoa(os.Getpid()), marks: map[string]bool{}}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- f.run(ctx) }() // ends with ctx; waited for below
	fmt.Fprintln(out, "ready")
	var began, ended usage
	for lines := bufio.NewScanner(in); lines.Scan() && lines.Text() != "end"; {
		began = cpuUsage()
	}
	ended = cpuUsage()
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return json.NewEncoder(out).Encode(FeedReader{
		Flows: f.seen, Delay: spread(f.flows), Marks: len(f.marks), Mark: spread(f.marked), IdleCPU: ended.since(began),
	})
}

// usage is what a process has used of a core up to a time.
type usage struct {
	at  time.Time
	cpu time.Duration // negative: unknown
}

func cpuUsage() usage { return usage{time.Now(), cpuTime()} }

// since is the part of a core that was used since u.
func (u usage) since(before usage) float64 {
	if u.cpu < 0 || before.at.IsZero() {
		return -1
	}
	return float64(u.cpu-before.cpu) / float64(u.at.Sub(before.at))
}

// follower notes when flows and marks come into its sight.
type follower struct {
	session *store.Session
	view    *store.View
	me      string

	seen   int
	flows  []time.Duration
	marks  map[string]bool
	marked []time.Duration
}

// lastRows is how far back marks are looked for.
const lastRows = 20

func (f *follower) run(ctx context.Context) error {
	for version := uint64(0); ; {
		st, err := f.view.Wait(ctx, version)
		if err = errors.Join(err, st.Err); err != nil {
			return err
		}
		version = st.Version
		first := max(0, min(f.seen, st.Len-lastRows))
		rows, err := f.view.Rows(ctx, first, st.Len-first)
		if err != nil {
			return err
		}
		now := time.Now().UnixNano()
		for i := range rows {
			f.mark(&rows[i], now)
			if first+i >= f.seen {
				f.flows = append(f.flows, time.Duration(now-rows[i].Started))
			}
		}
		fresh := rows[min(len(rows), max(0, f.seen-first)):]
		f.seen = st.Len
		if err := f.annotate(ctx, fresh); err != nil {
			return err
		}
	}
}

// mark notes a mark of another reader when it is seen the first time.
func (f *follower) mark(row *flowpb.Row, now int64) {
	who, at, ok := strings.Cut(row.Marked, " ")
	if !ok || who == f.me || f.marks[row.Marked] {
		return
	}
	f.marks[row.Marked] = true
	if ns, err := strconv.ParseInt(at, 10, 64); err == nil {
		f.marked = append(f.marked, time.Duration(now-ns))
	}
}

// annotate marks every tenth new flow that nobody has marked, with who and when.
func (f *follower) annotate(ctx context.Context, rows []flowpb.Row) error {
	for _, row := range rows {
		if row.ID%10 != 0 || row.Marked != "" {
			continue
		}
		mark := fmt.Sprintf("%s %d", f.me, time.Now().UnixNano())
		if _, err := f.session.Annotate(ctx, []uint64{row.ID}, store.NoteChange{Marked: &mark}); err != nil {
			return err
		}
	}
	return nil
}
