// Package sse reads event streams (HTML, section 9.2.6 "Interpreting an event
// stream") without doing any I/O: bytes in, events out.
//
// A [Reader] takes the bytes of a text/event-stream body in pieces of any size.
// An event is one block of lines with data in it; blocks without data, comments
// and unknown fields make no event, as they make none in a browser. The stream
// stays what it is: nobody waits for an event to be whole, and what is read here
// is kept beside the body, not instead of it.
//
// # Memory
//
// A Reader is for one goroutine at a time. It holds one line and one event's
// data, each up to a limit. What is longer is cut, and the event says so.
package sse

import (
	"bytes"
	"strconv"
)

// maxEvent is how many bytes of a line, and of an event's data, are kept.
const maxEvent = 1 << 20

// Event is one event. Its slices are valid until the next call of the Reader.
type Event struct {
	Type     []byte // of the event field; empty means "message"
	Data     []byte // of its data fields, joined by LF
	ID       []byte // of the id field, nil without one
	Retry    uint64 // of the retry field in milliseconds, where HasRetry
	HasRetry bool
	Cut      bool // there was more of it than is kept
	Partial  bool // the stream ended inside it, so that a browser discards it
}

// Reader parses one event stream. Its zero value is ready.
type Reader struct {
	limit   int // of a line and of data; 0 means maxEvent
	line    []byte
	long    bool // more of the line came than is kept
	afterCR bool // a LF belongs to the line end before it
	begun   bool // the first line is over, or has begun with something else than a BOM

	event   Event
	data    []byte
	typ, id []byte
	hasData bool
}

// Feed takes bytes from the front of p. It returns how many, and an event where
// these complete one. Where there is none all of p is taken.
func (r *Reader) Feed(p []byte) (n int, ev *Event) {
	for n < len(p) {
		if r.afterCR && p[n] == '\n' {
			n++
		}
		r.afterCR = false
		end := bytes.IndexAny(p[n:], "\r\n")
		if end < 0 {
			r.gather(p[n:])
			return len(p), nil
		}
		r.gather(p[n : n+end])
		n += end
		r.afterCR = p[n] == '\r'
		n++
		if ev := r.endLine(); ev != nil {
			return n, ev
		}
	}
	return n, nil
}

// End tells that no more will come, and returns the event that is cut off by
// that, nil where there is none.
func (r *Reader) End() *Event {
	if len(r.line) > 0 {
		r.field()
	}
	if !r.hasData {
		return nil
	}
	r.event.Partial = true
	return r.dispatch()
}

func (r *Reader) most() int {
	if r.limit > 0 {
		return r.limit
	}
	return maxEvent
}

// gather appends to the line what there is room for.
func (r *Reader) gather(p []byte) {
	room := r.most() - len(r.line)
	if len(p) > room {
		p, r.long = p[:room], true
	}
	r.line = append(r.line, p...)
}

// endLine reads the line that is complete, and returns the event that it ends.
func (r *Reader) endLine() *Event {
	if !r.begun {
		r.begun = true
		r.line = bytes.TrimPrefix(r.line, []byte("\xef\xbb\xbf"))
	}
	if len(r.line) == 0 {
		return r.dispatch()
	}
	r.field()
	return nil
}

// field takes over what the line says.
func (r *Reader) field() {
	name, value, _ := bytes.Cut(r.line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "data":
		r.addData(value)
	case "event":
		r.typ = append(r.typ[:0], value...)
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			r.id = append(r.id[:0], value...)
			r.event.ID = r.id
			if r.event.ID == nil {
				r.event.ID = []byte{}
			}
		}
	case "retry":
		if n, err := strconv.ParseUint(string(value), 10, 63); err == nil && value[0] != '+' {
			r.event.Retry, r.event.HasRetry = n, true
		}
	}
	r.event.Cut = r.event.Cut || r.long && len(name) > 0
	r.line, r.long = r.line[:0], false
}

func (r *Reader) addData(value []byte) {
	if r.hasData && len(r.data) < r.most() {
		r.data = append(r.data, '\n')
	}
	r.hasData = true
	if room := r.most() - len(r.data); len(value) > room {
		value, r.event.Cut = value[:room], true
	}
	r.data = append(r.data, value...)
}

// dispatch ends the block, and returns its event if it has data.
func (r *Reader) dispatch() *Event {
	ev := r.event
	ev.Type, ev.Data = r.typ, r.data
	has := r.hasData
	r.event, r.data, r.typ, r.id, r.hasData = Event{}, r.data[:0], r.typ[:0], r.id[:0], false
	if !has {
		return nil
	}
	return &ev
}
