package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sync/errgroup"
)

// announceSniffing is what weir sniff prints when it captures.
const announceSniffing = "sniffing on "

// sniffFlows is how many pairs of ports, or connections, there are at once.
const sniffFlows = 64

// benchSniff lets weir capture from the loopback interface and record what it captures,
// while so many packets a second pass for as long as a side of a round lasts: once
// datagrams, of which each becomes a message, and once the bodies of HTTP responses in
// small segments, besides which there are their acknowledgements. The kernel may drop
// nothing, and all that was sent must be in the session.
func benchSniff(ctx context.Context, b *bench) error {
	if os.Geteuid() != 0 {
		b.progress("sniff takes root; left out")
		return nil
	}
	if err := b.build(ctx); err != nil {
		return err
	}
	for _, kind := range []sniffKind{{"datagrams", sendDatagrams}, {"segments of HTTP bodies", sendBodies}} {
		if err := b.sniff(ctx, kind); err != nil {
			return err
		}
	}
	return nil
}

// sniffKind is one kind of traffic: its name, and what sends it and returns how much.
type sniffKind struct {
	name string
	send func(ctx context.Context, tcp net.Listener, udp *net.UDPConn, o *options) (int64, error)
}

func (b *bench) sniff(ctx context.Context, kind sniffKind) (err error) {
	udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer udp.Close()
	var config net.ListenConfig
	tcp, err := config.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer tcp.Close()
	session := filepath.Join(b.dir, strings.Fields(kind.name)[0]+".weir")
	filter := fmt.Sprintf("udp port %d or tcp port %d", udp.LocalAddr().(*net.UDPAddr).Port, tcp.Addr().(*net.TCPAddr).Port)
	p, err := start(ctx, b.binary, []string{"sniff", "-i", "lo", "-f", filter, "-o", session}, announceSniffing, announceSession)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	before, err := p.usage()
	if err != nil {
		return err
	}
	b.progress("sending %d %s of %d bytes a second", b.rate, kind.name, b.packet)
	began := time.Now()
	sent, err := kind.send(ctx, tcp, udp, b.options)
	took := time.Since(began)
	if err != nil {
		return err
	}
	after, err := p.usage()
	if err != nil {
		return err
	}
	if err := p.stop(); err != nil {
		return err
	}
	got, lost, gaps, err := sniffed(p.tail)
	if err != nil {
		return err
	}
	stored, err := b.stored(ctx, session)
	if err != nil {
		return err
	}
	defer os.Remove(session)
	b.table.add(result{what: fmt.Sprintf("sniff, %s of %d B, %.0f s, recorded", kind.name, b.packet, took.Seconds()), weir: fmt.Sprintf("%.0f packets/s", float64(got)/took.Seconds())})
	b.table.add(result{what: "  sent, without acknowledgements", weir: fmt.Sprintf("%.0f/s", float64(sent)/took.Seconds())})
	b.table.add(result{what: "  dropped by the kernel, gaps", weir: fmt.Sprintf("%d, %d", lost, gaps), bar: verdict{bar: "0, 0", met: lost+gaps == 0}})
	b.table.add(result{what: "  stored of what was sent", weir: strconv.FormatInt(stored, 10), bar: verdict{bar: strconv.FormatInt(sent, 10), met: stored == sent}})
	b.table.add(result{what: "  CPU", weir: fmt.Sprintf("%.2f cores", (after.cpu-before.cpu).Seconds()/took.Seconds())})
	b.table.add(result{what: "  RSS at most", weir: megabytes(after.peak)})
	return nil
}

// sniffed reads the line that weir ends with.
func sniffed(lines []string) (packets, lost, gaps int64, err error) {
	for _, line := range lines {
		rest, found := strings.CutPrefix(line, "sniffed ")
		if !found {
			continue
		}
		for part := range strings.SplitSeq(rest, ", ") {
			var n int64
			switch {
			case strings.HasPrefix(part, "LOST "):
				_, err = fmt.Sscanf(part, "LOST %d packets", &lost)
			case strings.HasSuffix(part, " gaps"):
				_, err = fmt.Sscanf(part, "%d gaps", &gaps)
			case strings.Contains(part, " packets on "):
				if _, err = fmt.Sscanf(part, "%d packets", &n); err == nil {
					packets = n
				}
			}
			if err != nil {
				return 0, 0, 0, fmt.Errorf("read %q: %w", line, err)
			}
		}
		return packets, lost, gaps, nil
	}
	return 0, 0, 0, fmt.Errorf("weir did not say what it sniffed, but %q", lines)
}

// stored counts what of what was sent the session has.
func (b *bench) stored(ctx context.Context, session string) (int64, error) {
	out, err := output(ctx, b.binary, "query", session, "--format", "json")
	if err != nil {
		return 0, err
	}
	var total int64
	for flows := json.NewDecoder(bytes.NewReader(out)); flows.More(); {
		var f struct {
			RequestSize  int64 `json:"request_size"`
			ResponseSize int64 `json:"response_size"`
		}
		if err := flows.Decode(&f); err != nil {
			return 0, fmt.Errorf("read what weir query prints: %w", err)
		}
		total += f.RequestSize + f.ResponseSize
	}
	return total / int64(b.packet), nil
}

// pace calls step each millisecond with how much is due by then, at so much a second.
func pace(ctx context.Context, rate int, d time.Duration, step func(n int) error) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	began, done := time.Now(), 0
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-tick.C:
			elapsed := min(now.Sub(began), d)
			due := int(elapsed.Seconds() * float64(rate))
			if err := step(due - done); err != nil {
				return err
			}
			if done = due; elapsed == d {
				return nil
			}
		}
	}
}

// sendDatagrams sends to a port where nobody reads them.
func sendDatagrams(ctx context.Context, _ net.Listener, to *net.UDPConn, o *options) (int64, error) {
	var from []*ipv4.PacketConn
	for range sniffFlows {
		c, err := net.DialUDP("udp4", nil, to.LocalAddr().(*net.UDPAddr))
		if err != nil {
			return 0, fmt.Errorf("open a socket: %w", err)
		}
		defer c.Close()
		from = append(from, ipv4.NewPacketConn(c))
	}
	batch := make([]ipv4.Message, 64)
	for i := range batch {
		batch[i].Buffers = [][]byte{make([]byte, o.packet)}
	}
	var sent int64
	err := pace(ctx, o.rate, o.duration, func(n int) error {
		for n > 0 {
			k, err := from[int(sent)%sniffFlows].WriteBatch(batch[:min(n, len(batch))], 0)
			if err != nil {
				return fmt.Errorf("send: %w", err)
			}
			n -= k
			sent += int64(k)
		}
		return nil
	})
	return sent, err
}

// sendBodies answers one request on each connection with a body that is sent a little
// at a time.
func sendBodies(ctx context.Context, at net.Listener, _ *net.UDPConn, o *options) (int64, error) {
	var g errgroup.Group
	var servers []net.Conn
	for range sniffFlows {
		var dialer net.Dialer
		c, err := dialer.DialContext(ctx, "tcp4", at.Addr().String())
		if err != nil {
			return 0, fmt.Errorf("connect: %w", err)
		}
		if _, err := io.WriteString(c, "GET /body HTTP/1.1\r\nHost: bench.test\r\n\r\n"); err != nil {
			return 0, fmt.Errorf("ask: %w", err)
		}
		g.Go(func() error {
			defer c.Close()
			_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, c, make([]byte, 64<<10))
			return err
		})
		s, err := at.Accept()
		if err != nil {
			return 0, fmt.Errorf("accept: %w", err)
		}
		if _, err := s.Read(make([]byte, 1<<10)); err != nil {
			return 0, fmt.Errorf("read the request: %w", err)
		}
		if _, err := io.WriteString(s, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n"); err != nil {
			return 0, fmt.Errorf("answer: %w", err)
		}
		servers = append(servers, s)
	}
	p := make([]byte, o.packet)
	var sent int64
	err := pace(ctx, o.rate, o.duration, func(n int) error {
		for range n {
			if _, err := servers[int(sent)%sniffFlows].Write(p); err != nil {
				return fmt.Errorf("send: %w", err)
			}
			sent++
		}
		return nil
	})
	for _, s := range servers {
		err = errors.Join(err, s.Close())
	}
	return sent, errors.Join(err, g.Wait())
}
