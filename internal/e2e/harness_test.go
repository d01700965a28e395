package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// weirBinary is the program under test, built by TestMain.
var weirBinary string

func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

// runTests builds the binary the way it is shipped and runs the tests with it.
func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "weir-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	weirBinary = filepath.Join(dir, "weir")
	build := exec.Command("go", "build", "-o", weirBinary, "weir/cmd/weir")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "e2e: build weir: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// need skips the test where a tool is not installed; CI sets WEIR_E2E_REQUIRED,
// which makes that a failure.
func need(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err == nil {
		return
	}
	if os.Getenv("WEIR_E2E_REQUIRED") != "" {
		t.Fatalf("%s is not installed, and WEIR_E2E_REQUIRED is set", tool)
	}
	t.Skipf("%s is not installed", tool)
}

// patience is how long a test waits for something that is expected to happen.
const patience = 60 * time.Second

// eventually waits until ok is true, and fails with what otherwise.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %s in vain: %s", patience, what)
		}
	}
}

// recorder is a running `weir record`.
type recorder struct {
	t       *testing.T
	cmd     *exec.Cmd
	Addr    string // of the proxy
	Session string
	CA      string // the certificate clients have to trust
	stderr  *tail
}

// tail collects what a process says, line by line.
type tail struct {
	lines chan string
	all   chan []string // the lines so far; one value
}

// record starts `weir record` on a free port with a new configuration directory
// and waits until it is ready.
func record(t *testing.T, args ...string) *recorder {
	t.Helper()
	return recordBy(t, nil, args...)
}

// recordBy is record by way of another program, which is given weir's command line.
func recordBy(t *testing.T, by []string, args ...string) *recorder {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "config")
	r := &recorder{t: t, CA: filepath.Join(config, "weir-ca-cert.pem")}
	session := filepath.Join(dir, "test.weir")
	line := append(append([]string{}, by...), weirBinary, "record", "--listen", "127.0.0.1:0", "--config", config, "-o", session)
	line = append(line, args...)
	r.cmd = exec.Command(line[0], line[1:]...)
	stderr, err := r.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill(); _ = r.cmd.Wait() })
	r.stderr = follow(stderr)
	r.Addr = r.expect("listening on ")
	r.Session = r.expect("session ")
	return r
}

func follow(from io.Reader) *tail {
	tl := &tail{lines: make(chan string, 100), all: make(chan []string, 1)}
	tl.all <- nil
	go func() {
		defer close(tl.lines)
		for lines := bufio.NewScanner(from); lines.Scan(); {
			tl.all <- append(<-tl.all, lines.Text())
			select {
			case tl.lines <- lines.Text():
			default: // nobody waits for a line any more
			}
		}
	}()
	return tl
}

// expect waits for a line that begins so and returns what follows.
func (r *recorder) expect(prefix string) string {
	r.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case line, ok := <-r.stderr.lines:
			if !ok {
				r.t.Fatalf("weir record ended before it said %q:\n%s", prefix, r.said())
			}
			if rest, found := strings.CutPrefix(line, prefix); found {
				return rest
			}
		case <-timeout:
			r.t.Fatalf("weir record did not say %q in %s:\n%s", prefix, patience, r.said())
		}
	}
}

// said is everything the process printed to standard error so far.
func (r *recorder) said() string {
	lines := <-r.stderr.all
	r.stderr.all <- lines
	return strings.Join(lines, "\n")
}

// stop asks the recorder to end and demands that it ends well.
func (r *recorder) stop() {
	r.t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		r.t.Fatal(err)
	}
	if err := r.cmd.Wait(); err != nil {
		r.t.Fatalf("weir record: %v\n%s", err, r.said())
	}
}

// run runs a command and returns its standard output; it must succeed.
func run(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", filepath.Base(name), strings.Join(args, " "), err, out, stderr.Bytes())
	}
	return out
}

// weir runs the program under test.
func weir(t *testing.T, args ...string) []byte {
	t.Helper()
	return run(t, weirBinary, args...)
}

// flow is what the tests look at of a row of `weir query --format json`.
type flow struct {
	ID           uint64  `json:"id"`
	State        string  `json:"state"`
	Method       string  `json:"method"`
	URL          string  `json:"url"`
	Status       int     `json:"status"`
	HTTPVersion  string  `json:"http_version"`
	RequestSize  int64   `json:"request_size"`
	ResponseSize int64   `json:"response_size"`
	Error        *string `json:"error"`
	Marked       *string `json:"marked"`
	Comment      *string `json:"comment"`
}

// query returns the flows of a session that match.
func query(t *testing.T, session string, args ...string) []flow {
	t.Helper()
	out := weir(t, append([]string{"query", session, "--format", "json"}, args...)...)
	var flows []flow
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var f flow
		if err := dec.Decode(&f); err == io.EOF {
			return flows
		} else if err != nil {
			t.Fatalf("weir query printed no JSON lines: %v\n%s", err, out)
		}
		flows = append(flows, f)
	}
}

// half is what the tests look at of one side of `weir show --format json`.
type half struct {
	Headers    [][2]string `json:"headers"`
	Trailers   [][2]string `json:"trailers"`
	BodySize   *int64      `json:"body_size"`
	BodySHA256 *string     `json:"body_sha256"`
}

// show returns one flow whole.
func show(t *testing.T, session string, id uint64) (request, response half) {
	t.Helper()
	var f struct{ Request, Response half }
	out := weir(t, "show", session, fmt.Sprint(id), "--format", "json")
	if err := json.Unmarshal(out, &f); err != nil {
		t.Fatalf("weir show: %v\n%s", err, out)
	}
	return f.Request, f.Response
}

// complete waits until the session holds n flows that match, all complete, and
// returns them: weir query beside a running capture.
func complete(t *testing.T, session string, n int, args ...string) []flow {
	t.Helper()
	var flows []flow
	eventually(t, fmt.Sprintf("%d complete flows for %q", n, args), func() bool {
		flows = query(t, session, args...)
		if len(flows) != n {
			return false
		}
		for _, f := range flows {
			if f.State != "complete" {
				return false
			}
		}
		return true
	})
	return flows
}
