package grpctest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding/gzip"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience ends what hangs.
const patience = 60 * time.Second

// recorder is a running `weir record`.
type recorder struct {
	binary, addr, session string
	roots                 *x509.CertPool
	stop                  func()
}

// record builds weir and starts it, with an origin's certificate to trust.
func record(t *testing.T, trust []byte) *recorder {
	t.Helper()
	dir := t.TempDir()
	r := &recorder{binary: filepath.Join(dir, "weir"), session: filepath.Join(dir, "grpc.weir"), roots: x509.NewCertPool()}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", r.binary, "./cmd/weir")
	build.Dir, build.Env = "../../..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build weir: %v\n%s", err, out)
	}
	origin, config := filepath.Join(dir, "origin.pem"), filepath.Join(dir, "config")
	if err := os.WriteFile(origin, trust, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(r.binary, "record", "--listen", "127.0.0.1:0", "--config", config, "--upstream-ca", origin, "-o", r.session)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	said := bufio.NewReader(stderr)
	for !strings.HasPrefix(r.addr, "listening on ") {
		if r.addr, err = said.ReadString('\n'); err != nil {
			t.Fatalf("weir record ended before it listened: %v", err)
		}
	}
	r.addr = strings.TrimSpace(strings.TrimPrefix(r.addr, "listening on "))
	ca, err := os.ReadFile(filepath.Join(config, "weir-ca-cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	r.roots.AppendCertsFromPEM(ca)
	r.stop = func() {
		t.Helper()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, said)
		if err := cmd.Wait(); err != nil {
			t.Errorf("weir record: %v", err)
		}
	}
	return r
}

// serve runs a gRPC server over TLS and returns its address and certificate.
func serve(t *testing.T) (addr string, certificate []byte) {
	t.Helper()
	borrowed := httptest.NewTLSServer(nil) // for its certificate
	cert := borrowed.TLS.Certificates[0]
	borrowed.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&cert)))
	pb.RegisterTestServiceServer(s, service{})
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		s.Stop()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return ln.Addr().String(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
}

// dial connects a gRPC client to addr through the proxy.
func dial(t *testing.T, r *recorder, addr string) pb.TestServiceClient {
	t.Helper()
	tunnel := func(ctx context.Context, target string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", r.addr)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, target)
		answer := make([]byte, len("HTTP/1.1 200 Connection established\r\n\r\n"))
		if _, err := io.ReadFull(conn, answer); err != nil || !bytes.Contains(answer, []byte(" 200 ")) {
			return nil, errors.Join(err, conn.Close(), fmt.Errorf("CONNECT: %q", answer))
		}
		return conn, nil
	}
	creds := credentials.NewTLS(&tls.Config{RootCAs: r.roots, ServerName: "example.com"})
	cc, err := grpc.NewClient("passthrough:///"+addr, grpc.WithContextDialer(tunnel), grpc.WithTransportCredentials(creds))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cc.Close() })
	return pb.NewTestServiceClient(cc)
}

// shown is what `weir show --format json` says of a flow, as far as it matters here.
type shown struct {
	Path        string `json:"path"`
	State       string `json:"state"`
	HTTPVersion string `json:"http_version"`
	Response    struct {
		Headers  [][2]string `json:"headers"`
		Trailers [][2]string `json:"trailers"`
	} `json:"response"`
}

// flows returns the session's flows, in order.
func (r *recorder) flows(t *testing.T, count int) (all []shown) {
	t.Helper()
	for id := range count {
		out, err := exec.CommandContext(t.Context(), r.binary, "show", r.session, fmt.Sprint(id+1), "--format", "json").Output()
		if err != nil {
			t.Fatalf("weir show %d: %v", id+1, err)
		}
		var f shown
		if err := json.Unmarshal(out, &f); err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

func payload(n int) *pb.Payload { return &pb.Payload{Body: make([]byte, n)} }

// TestCalls makes a call of each kind and looks at the flow of each.
func TestCalls(t *testing.T) {
	addr, certificate := serve(t)
	r := record(t, certificate)
	client := dial(t, r, addr)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	calls := []struct {
		name   string
		status string // grpc-status, where the flow should have it
		call   func() error
	}{
		{"UnaryCall", "0", func() error {
			out, err := client.UnaryCall(ctx, &pb.SimpleRequest{Payload: payload(100_000)})
			if n := len(out.GetPayload().GetBody()); err == nil && n != 100_000 {
				err = fmt.Errorf("answer of %d bytes", n)
			}
			return err
		}},
		{"UnaryCall", "0", func() error {
			_, err := client.UnaryCall(ctx, &pb.SimpleRequest{Payload: payload(5000)}, grpc.UseCompressor(gzip.Name))
			return err
		}},
		{"StreamingInputCall", "0", func() error { return upload(ctx, client) }},
		{"StreamingOutputCall", "0", func() error { return download(ctx, client) }},
		{"FullDuplexCall", "0", func() error { return duplex(ctx, client) }},
		{"UnaryCall", "5", func() error { // trailers only
			_, err := client.UnaryCall(ctx, &pb.SimpleRequest{ResponseStatus: &pb.EchoStatus{Code: int32(codes.NotFound), Message: "gone"}})
			if s := status.Convert(err); s.Code() != codes.NotFound || s.Message() != "gone" {
				return fmt.Errorf("status: %w", err)
			}
			return nil
		}},
		{"UnimplementedCall", "12", func() error {
			if _, err := client.UnimplementedCall(ctx, &pb.Empty{}); status.Code(err) != codes.Unimplemented {
				return fmt.Errorf("status: %w", err)
			}
			return nil
		}},
	}
	for _, c := range calls {
		if err := c.call(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	r.stop()
	for i, f := range r.flows(t, len(calls)) {
		want := calls[i]
		if f.Path != "/grpc.testing.TestService/"+want.name || f.State != "complete" || f.HTTPVersion != "HTTP/2" {
			t.Errorf("flow %d: got %+v, want a complete %s", i+1, f, want.name)
		}
		got := ""
		for _, field := range append(f.Response.Headers, f.Response.Trailers...) {
			if field[0] == "grpc-status" {
				got = field[1]
			}
		}
		if got != want.status {
			t.Errorf("%s: grpc-status %q, want %q", want.name, got, want.status)
		}
	}
}

func upload(ctx context.Context, client pb.TestServiceClient) error {
	stream, err := client.StreamingInputCall(ctx)
	if err != nil {
		return err
	}
	for _, n := range []int{10, 20_000, 1} {
		if err := stream.Send(&pb.StreamingInputCallRequest{Payload: payload(n)}); err != nil {
			return err
		}
	}
	out, err := stream.CloseAndRecv()
	if err == nil && out.GetAggregatedPayloadSize() != 20_011 {
		err = fmt.Errorf("sum %d", out.GetAggregatedPayloadSize())
	}
	return err
}

func download(ctx context.Context, client pb.TestServiceClient) error {
	stream, err := client.StreamingOutputCall(ctx, &pb.StreamingOutputCallRequest{
		ResponseParameters: []*pb.ResponseParameters{{Size: 300_000}, {Size: 1}, {Size: 70_000}},
	})
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		if _, err := stream.Recv(); errors.Is(err, io.EOF) && n == 3 {
			return nil
		} else if err != nil {
			return fmt.Errorf("message %d: %w", n, err)
		}
	}
}

// duplex has each side wait for the other's last message, so that a proxy that
// holds anything back never ends.
func duplex(ctx context.Context, client pb.TestServiceClient) error {
	stream, err := client.FullDuplexCall(ctx)
	if err != nil {
		return err
	}
	for range 10 {
		ask := &pb.StreamingOutputCallRequest{ResponseParameters: []*pb.ResponseParameters{{Size: 31}}}
		if err := stream.Send(ask); err != nil {
			return err
		}
		if _, err := stream.Recv(); err != nil {
			return err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("after the last message: %w", err)
	}
	return nil
}

// TestCancel ends a call half way, which is the flow's error.
func TestCancel(t *testing.T) {
	addr, certificate := serve(t)
	r := record(t, certificate)
	client := dial(t, r, addr)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	stream, err := client.FullDuplexCall(ctx)
	if err == nil {
		err = stream.Send(&pb.StreamingOutputCallRequest{ResponseParameters: []*pb.ResponseParameters{{Size: 31}}})
	}
	if err == nil {
		_, err = stream.Recv()
	}
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := stream.Recv(); status.Code(err) != codes.Canceled {
		t.Errorf("got %v, want it cancelled", err)
	}
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		out, err := exec.CommandContext(t.Context(), r.binary, "query", r.session, "~e", "--format", "json").Output()
		if err == nil && bytes.Contains(out, []byte("the client reset the stream (CANCEL)")) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("no flow says that it was cancelled: %s, %v", out, err)
		}
	}
	r.stop()
}
