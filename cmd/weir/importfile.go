package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	flowpb "weir/proto"
	"weir/proto/har"
	"weir/proto/mitmdump"
	"weir/proxy/packet/pcap"
)

// flowReader reads other people's captures, flow by flow: io.EOF behind the last, a
// [flowpb.SkipError] for one that cannot be read, any other error where the file
// stops to be readable.
type flowReader interface {
	Next() (*flowpb.Whole, error)
}

// importFormats is every format of 'weir import', told by the first bytes. read
// tells what is wrong with the file as damage, with anything else as err.
var importFormats = []struct {
	name string
	is   func(head []byte) bool
	read func(ctx context.Context, im *importer, r io.Reader) (damage, err error)
}{
	{"HAR", isHAR, func(ctx context.Context, im *importer, r io.Reader) (error, error) {
		return im.flows(ctx, har.NewReader(r))
	}},
	{"mitmproxy", mitmdump.Detect, func(ctx context.Context, im *importer, r io.Reader) (error, error) {
		return im.flows(ctx, mitmdump.NewReader(r))
	}},
	{"pcap and pcapng", pcap.Detect, func(ctx context.Context, im *importer, r io.Reader) (error, error) {
		return im.packets(ctx, r)
	}},
}

func isHAR(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	return len(head) > 0 && head[0] == '{'
}

// envelope is a compression, or a coding of text, around a capture, told by its first bytes.
type envelope struct {
	magic string
	open  func(r io.Reader) (io.Reader, error)
}

var envelopes = []envelope{
	{"\x1f\x8b", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	{"\x28\xb5\x2f\xfd", func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r, zstd.WithDecoderMaxMemory(64<<20)) }},
	{"\x78\x01", openZlib},
	{"\x78\x5e", openZlib},
	{"\x78\x9c", openZlib},
	{"\x78\xda", openZlib}, // .zhar
	{"\xff\xfe", openUTF16},
	{"\xfe\xff", openUTF16},
}

// openUTF16 makes UTF-8 of what begins with a mark of UTF-16, as text does that passed
// through some programs of Windows.
func openUTF16(r io.Reader) (io.Reader, error) {
	return transform.NewReader(r, unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder()), nil
}

func openZlib(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) }

// maxEnvelopes bounds how often a file may be compressed.
const maxEnvelopes = 4

// sniffed is how much of a file tells its format, in bytes.
const sniffed = 512

// read finds out what r is and imports it.
func (im *importer) read(ctx context.Context, r io.Reader) (damage, err error) {
	buf, head, err := peel(r)
	if err != nil {
		return err, nil
	}
	for _, f := range importFormats {
		if f.is(head) {
			return f.read(ctx, im, buf)
		}
	}
	if bytes.HasPrefix(head, []byte("SQLite format 3\x00")) {
		return hinted(errors.New("this is a session, or another SQLite file"), "'weir open' looks at a session, 'weir session merge' puts several together"), nil
	}
	var names []string
	for _, f := range importFormats {
		names = append(names, f.name)
	}
	return hinted(errors.New("not a capture of a format that weir knows"), "the formats are: "+strings.Join(names, ", ")), nil
}

// peel takes the compressions off r; head is how what is inside begins.
func peel(r io.Reader) (inside *bufio.Reader, head []byte, err error) {
	for range maxEnvelopes {
		buf := bufio.NewReaderSize(r, 64<<10)
		head, err := buf.Peek(sniffed)
		if len(head) == 0 {
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, nil, err
			}
			return nil, nil, errors.New("the file is empty")
		}
		i := slices.IndexFunc(envelopes, func(e envelope) bool { return bytes.HasPrefix(head, []byte(e.magic)) })
		if i < 0 {
			return buf, head, nil
		}
		if r, err = envelopes[i].open(buf); err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, fmt.Errorf("compressed more than %d times", maxEnvelopes)
}

// openInput opens a file to import; "-" is standard input.
func openInput(std stdio, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(std.in), nil
	}
	return os.Open(name)
}

// isRegular reports whether in is a file on a disk: what others come from comes by and by.
func isRegular(in io.Reader) bool {
	f, ok := in.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular()
}
