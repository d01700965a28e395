package tnetstring

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Append appends the encoding of v to dst. It fails on a value of another type
// than the package names, and on a [Stream].
func Append(dst []byte, v any) ([]byte, error) {
	e := encoder{buf: dst}
	if err := e.value(v, 0); err != nil {
		return dst, fmt.Errorf("encode value: %w", err)
	}
	return e.buf, nil
}

// Write writes the encoding of v to w; bodies are not copied on the way. A
// [Stream] that ends early fails with [io.ErrUnexpectedEOF].
func Write(w io.Writer, v any) error {
	e := encoder{w: w}
	err := e.value(v, 0)
	if err == nil {
		err = e.flush()
	}
	if err != nil {
		return fmt.Errorf("write value: %w", err)
	}
	return nil
}

// directly is from which size on bytes go to the writer without being collected.
const directly = 16 << 10

// encoder collects small pieces in buf, and hands buf and large pieces to w if it has one.
type encoder struct {
	w   io.Writer
	buf []byte
}

func (e *encoder) flush() error {
	if e.w == nil || len(e.buf) == 0 {
		return nil
	}
	_, err := e.w.Write(e.buf)
	e.buf = e.buf[:0]
	return err
}

func (e *encoder) value(v any, depth int) error {
	size, tag, err := measure(v, depth)
	if err != nil {
		return err
	}
	e.buf = append(strconv.AppendInt(e.buf, size, 10), ':')
	switch v := v.(type) {
	case []byte:
		err = e.bytes(v)
	case string:
		e.buf = append(e.buf, v...)
	case bool:
		e.buf = strconv.AppendBool(e.buf, v)
	case int64:
		e.buf = strconv.AppendInt(e.buf, v, 10)
	case float64:
		e.buf = append(e.buf, formatFloat(v)...)
	case Stream:
		err = e.stream(v)
	case List:
		err = e.items(v, depth)
	case Dict:
		err = e.entries(v, depth)
	}
	if err != nil {
		return err
	}
	if e.buf = append(e.buf, tag); len(e.buf) < directly {
		return nil
	}
	return e.flush()
}

func (e *encoder) items(list List, depth int) error {
	for _, item := range list {
		if err := e.value(item, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) entries(dict Dict, depth int) error {
	for _, entry := range dict {
		if err := e.value(entry.Key, depth+1); err != nil {
			return err
		}
		if err := e.value(entry.Value, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) bytes(p []byte) error {
	if e.w == nil || len(p) < directly {
		e.buf = append(e.buf, p...)
		return nil
	}
	if err := e.flush(); err != nil {
		return err
	}
	_, err := e.w.Write(p)
	return err
}

func (e *encoder) stream(s Stream) error {
	if e.w == nil {
		return errors.New("a stream can only be written, not appended")
	}
	if err := e.flush(); err != nil {
		return err
	}
	n, err := io.CopyN(e.w, s.Reader, s.Size)
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("a stream of %d bytes ended after %d: %w", s.Size, n, io.ErrUnexpectedEOF)
	}
	return err
}

// measure returns the size of v's encoding, its own size and tag left out, and
// the tag. What stands in lists and dictionaries is measured once for each level above it.
func measure(v any, depth int) (size int64, tag byte, err error) {
	if depth > maxDepth {
		return 0, 0, fmt.Errorf("more than %d levels: %w", maxDepth, ErrLimit)
	}
	switch v := v.(type) {
	case nil:
		return 0, tagNull, nil
	case []byte:
		return int64(len(v)), tagBytes, nil
	case string:
		return int64(len(v)), tagText, nil
	case bool:
		return int64(len(strconv.FormatBool(v))), tagBool, nil
	case int64:
		return int64(len(strconv.FormatInt(v, 10))), tagInt, nil
	case float64:
		return int64(len(formatFloat(v))), tagFloat, nil
	case Stream:
		return v.Size, tagBytes, nil
	case List:
		size, err = measureAll(depth, v...)
		return size, tagList, err
	case Dict:
		for _, entry := range v {
			n, err := measureAll(depth, entry.Key, entry.Value)
			if err != nil {
				return 0, 0, err
			}
			size += n
		}
		return size, tagDict, nil
	}
	return 0, 0, fmt.Errorf("a value of type %T", v)
}

// measureAll is the sum of the encodings of values, with their sizes and tags.
func measureAll(depth int, values ...any) (sum int64, err error) {
	for _, v := range values {
		n, _, err := measure(v, depth+1)
		if err != nil {
			return 0, err
		}
		sum += int64(len(strconv.FormatInt(n, 10))) + 1 + n + 1
	}
	return sum, nil
}

// formatFloat is Python's repr of a float, which is what stands in dumps.
func formatFloat(f float64) string {
	switch abs := math.Abs(f); {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 0):
		return strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(f, 'g', -1, 64), "+"))
	case abs != 0 && (abs < 1e-4 || abs >= 1e16):
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
