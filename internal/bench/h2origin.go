package main

import (
	"errors"
	"net"
	"strconv"

	"weir/proxy/h2"
)

// serveHTTP2 answers each request with the small body, until the connection
// fails or is closed.
func (o *origin) serveHTTP2(conn net.Conn) error {
	state := h2.NewConn(h2.Client, h2.Limits{})
	out := state.AppendSettings(nil, nil)
	head := []h2.Field{
		{Name: ":status", Value: "200"},
		{Name: "content-type", Value: "application/json"},
		{Name: "content-length", Value: strconv.Itoa(smallSize)},
	}
	body := smallBody()
	buf := make([]byte, 64<<10)
	for {
		if _, err := conn.Write(out); err != nil {
			return err
		}
		n, err := conn.Read(buf)
		if err != nil {
			return err
		}
		state.Calm()
		if out, err = answerHTTP2(state, out[:0], buf[:n], head, body); err != nil {
			return err
		}
	}
}

// answerHTTP2 reads frames and appends what answers them.
func answerHTTP2(state *h2.Conn, out, p []byte, head []h2.Field, body []byte) ([]byte, error) {
	for {
		n, ev, err := state.Feed(p)
		if err != nil {
			return out, err
		}
		p = p[n:]
		switch ev.Kind {
		case h2.NeedMore:
			return out, nil
		case h2.Settings:
			out = state.AppendSettingsAck(out)
		case h2.Ping:
			out = state.AppendPing(out, ev.Data, true)
		case h2.Message:
			if state.Window(ev.Stream) < len(body) {
				return out, errors.New("no window left for an answer")
			}
			out = state.AppendHeaders(out, ev.Stream, head, nil, false)
			out = state.AppendData(out, ev.Stream, body, true)
		}
	}
}
