package coding

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	flowpb "weir/proto"
)

// maxWindow is the largest zstd window of HTTP (RFC 9659, section 3). Brotli
// cannot ask for more than 16 MB, gzip and deflate not for more than 32 KB.
const maxWindow = 8 << 20

var (
	// ErrTruncated is in the chain of an error when the coded input ends before
	// it is complete, as it does when a transfer was cut off.
	ErrTruncated = errors.New("input ends early")
	// ErrTooLarge is in the chain of an error when the output, or what passes
	// between two codings, is larger than allowed.
	ErrTooLarge = errors.New("output is too large")
	// ErrTooMany is the error for more codings in a stack than any server uses.
	ErrTooMany = errors.New("too many content codings")
)

// UnknownError reports a content coding that this package cannot undo.
type UnknownError struct {
	// Coding is its name as it was given, hostile bytes included.
	Coding string
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("unknown content coding %.40q", e.Coding)
}

// Parse splits the values of Content-Encoding header fields, in their order,
// into the names of the codings in the order in which they were applied. Names
// are lower-case; empty list elements are skipped (RFC 9110, section 5.6.1).
func Parse(headerValues ...[]byte) []string {
	var codings []string
	for _, value := range headerValues {
		for element := range bytes.SplitSeq(value, []byte{','}) {
			if name := bytes.Trim(element, " \t"); len(name) > 0 {
				codings = append(codings, string(bytes.ToLower(name)))
			}
		}
	}
	return codings
}

// Of returns the codings to undo before a body is what its sender meant, from the
// fields that came with it: none where b says that this is done already.
func Of(b *flowpb.Body, fields []*flowpb.Field) []string {
	if b.GetDecoded() {
		return nil
	}
	return Parse(flowpb.Get(fields, "content-encoding")...)
}

// opener starts a decoder on input that has at least one byte. It may read, and
// its errors are those of the input.
type opener func(src *bufio.Reader) (io.Reader, error)

// find returns the opener for a coding, nil for one that changes nothing, and
// false for one that is not known.
func find(coding string) (opener, bool) {
	switch strings.ToLower(coding) {
	case "identity", "none", "":
		return nil, true
	case "gzip", "x-gzip":
		return openGzip, true
	case "deflate":
		return openDeflate, true
	case "br":
		return openBrotli, true
	case "zstd":
		return openZstd, true
	}
	return nil, false
}

func openGzip(src *bufio.Reader) (io.Reader, error) { return gzip.NewReader(src) }

// openDeflate accepts the zlib format, which the standard means by "deflate",
// and bare deflate data, which many servers send instead. The first two bytes
// of the former are a checked header (RFC 1950, section 2.2).
func openDeflate(src *bufio.Reader) (io.Reader, error) {
	head, err := src.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	const method, window, dictionary = 8, 7, 0x20
	if len(head) == 2 && head[0]&0xf == method && head[0]>>4 <= window &&
		(uint(head[0])<<8|uint(head[1]))%31 == 0 && head[1]&dictionary == 0 {
		return zlib.NewReader(src)
	}
	return flate.NewReader(src), nil
}

func openBrotli(src *bufio.Reader) (io.Reader, error) { return brotli.NewReader(src), nil }

// openZstd asks for one decoder, which is how the library is told to start no
// goroutine, and bounds what a frame header can make it allocate.
func openZstd(src *bufio.Reader) (io.Reader, error) {
	d, err := zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}
