// Command bench measures weir against what it promises, and prints ratios.
//
//	go -C internal/bench run .                           all of it, some minutes
//	go -C internal/bench run . -only https -duration 2s  one part, quickly
//	go -C internal/bench run . -only view -scale 100000,1000000,10000000 -sessions DIR
//
// The parts are: https, small requests through weir, recording, against a bare
// goproxy MITM that records nothing; handshakes, bodies and hosts, the same with
// a connection a request, with bodies of 1 MiB, and with hosts that need a new
// certificate; mitmdump, small requests against mitmdump -w; idle, what idle
// connections take of weir's memory; http2, the same over HTTP/2 against a proxy
// made of net/http; rss, what one large download adds to
// weir's memory, and whether it arrived whole; stream, the writer at full speed
// beside the bare database driver, with somebody who reads; paced, how soon a
// flow is durable; feed, how soon other processes see it; codec, the encodings of
// a flow; view, how soon a large session
// shows its first page in any order and under filters, how soon the view is whole,
// what that takes in memory, and how soon a row, a mark or a new flow is there; keys,
// how soon the interface appears and answers on a terminal; live, the same while
// flows arrive; and, only when it is
// asked for, import: what reading packets (against tshark), a dump of mitmproxy and a HAR
// takes, and how what was imported opens and filters; body: what recording, viewing,
// searching and exporting one huge body adds to memory; and sniff, as root: whether a
// capture from an interface, recorded, loses packets at some rate.
//
// Every number is taken from real processes on this machine, so only the
// ratios and the distance to the bars mean something elsewhere. A slow result
// is printed, never an error: the command fails only when something is broken,
// such as bytes that differ or flows that are missing.
//
// It is a module of its own, so that what it compares with stays out of the
// product's dependencies, and it needs Linux, for /proc. The programs under
// test run as processes of their own, one of them this binary under another
// name; each is stopped and waited for before its part returns. Load
// generator and origin share this process, the same for both sides.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options is what the command line says; see register for the meaning.
type options struct {
	only     string
	weir     string
	self     bool
	rounds   int
	conns    int
	duration time.Duration
	size     int64
	flows    int
	session  string
	keys     int
	bodySize int64
	scale    string
	sessions string
	idle     int
	stream   int
	rate     int
	packet   int

	captureSize, dumpSize, harSize int64
}

func (o *options) register(fs *flag.FlagSet) {
	fs.StringVar(&o.only, "only", defaultParts(), "parts to run, separated by commas")
	fs.StringVar(&o.weir, "weir", "", "the weir binary; built from the tree when empty")
	fs.BoolVar(&o.self, "self", false, "measure the baseline against itself, which shows the noise of the measurement")
	fs.IntVar(&o.rounds, "rounds", 5, "rounds, in each of which both sides run once")
	fs.IntVar(&o.conns, "conns", 16, "client connections")
	fs.DurationVar(&o.duration, "duration", 5*time.Second, "length of one side of a round")
	fs.Int64Var(&o.size, "size", 1<<30, "rss: bytes to download")
	fs.IntVar(&o.flows, "flows", 1_000_000, "view, keys, live: flows in the session")
	fs.StringVar(&o.session, "session", "", "view, keys, live: a seeded session to use; made in a temporary directory when empty")
	size(fs, &o.bodySize, 10<<30, "body-size", "body: bytes of the body, as 10G or 512M; as much is needed on the disk (default 10G)")
	size(fs, &o.captureSize, 1<<30, "capture-size", "import: bytes of the capture; twice as much is needed on the disk (default 1G)")
	size(fs, &o.dumpSize, 5<<30, "dump-size", "import: bytes of mitmproxy's dump; twice as much is needed on the disk (default 5G)")
	size(fs, &o.harSize, 1<<30, "har-size", "import: bytes of the HAR; twice as much is needed on the disk (default 1G)")
	fs.IntVar(&o.idle, "idle", 10_000, "idle: connections")
	fs.IntVar(&o.keys, "keys", 200, "keys, live: strokes of each kind")
	fs.IntVar(&o.rate, "rate", 100_000, "sniff: packets a second, for -duration; 60s is what is promised")
	fs.IntVar(&o.packet, "packet", 200, "sniff: bytes that a packet carries")
	fs.IntVar(&o.stream, "stream", 100_000, "stream: flows a round")
	fs.StringVar(&o.scale, "scale", "", "view: how many flows its sessions have, several separated by commas; -flows when empty")
	fs.StringVar(&o.sessions, "sessions", "", "view: directory where the sessions of -scale are kept, to be used again; removed at the end when empty")
}

// size adds a flag for a size in bytes.
func size(fs *flag.FlagSet, to *int64, value int64, name, usage string) {
	*to = value
	fs.Func(name, usage, func(text string) (err error) {
		*to, err = parseSize(text)
		return err
	})
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// run is main without the process around it. The two sub-commands are how this
// binary runs itself as one of the programs under test.
func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case cmdGoproxy:
			return serveGoproxy(ctx, args[1:], false)
		case cmdGoproxyApart:
			return serveGoproxy(ctx, args[1:], true)
		case cmdH2Proxy:
			return serveH2Proxy(ctx, args[1:])
		case cmdViews:
			return measureViews(ctx, args[1:], out)
		case cmdOffsets:
			return measureOffsets(ctx, args[1:], out)
		case cmdMoves:
			return measureMoves(ctx, args[1:], out)
		}
	}
	var o options
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	o.register(fs)
	if err := fs.Parse(args); err != nil {
		return err
	}
	return runParts(ctx, &o, out)
}

// part is one independent measurement.
type part struct {
	name string
	run  func(ctx context.Context, b *bench) error
}

// parts are all there are, in the order in which they run.
func parts() []part {
	return []part{
		{"https", benchHTTPS},
		{"handshakes", benchHandshakes},
		{"bodies", benchBodies},
		{"hosts", benchHosts},
		{"http2", benchHTTP2},
		{"mitmdump", benchMitmdump},
		{"rss", benchDownload},
		{"idle", benchIdle},
		{"stream", benchStream},
		{"paced", benchPaced},
		{"feed", benchFeed},
		{"codec", benchCodec},
		{"view", benchViews},
		{"keys", benchKeys},
		{"live", benchLive},
		{"import", benchImports},
		{"body", benchBody},
		{"sniff", benchSniff},
	}
}

func partNames() (names []string) {
	for _, p := range parts() {
		names = append(names, p.name)
	}
	return names
}

// defaultParts are those that run unless others are named: all but those that want a
// disk to themselves, and sniff, which wants root.
func defaultParts() string {
	return strings.Join(slices.DeleteFunc(partNames(), func(name string) bool {
		return name == "body" || name == "import" || name == "sniff"
	}), ",")
}

func runParts(ctx context.Context, o *options, out io.Writer) error {
	wanted := strings.Split(o.only, ",")
	for _, name := range wanted {
		if !slices.Contains(partNames(), name) {
			return fmt.Errorf("no part %q: choose from %s", name, strings.Join(partNames(), ", "))
		}
	}
	dir, err := os.MkdirTemp("", "weir-bench-")
	if err != nil {
		return fmt.Errorf("make working directory: %w", err)
	}
	defer os.RemoveAll(dir)
	subject := "weir"
	if o.self {
		subject = "baseline again"
	}
	b := &bench{options: o, dir: dir, table: newTable(out, subject), session: o.session}
	for _, p := range parts() {
		if !slices.Contains(wanted, p.name) {
			continue
		}
		if err := p.run(ctx, b); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", p.name, err), b.table.flush())
		}
	}
	return b.table.flush()
}

// bench is what the parts share. They run one after the other.
type bench struct {
	*options
	dir     string // for files, removed at the end
	table   *table
	binary  string // weir, once it is built
	session string // the seeded session, once there is one
}

// progress tells who waits what is going on, apart from the results.
func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}
