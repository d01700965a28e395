package har

import (
	"iter"
	"strconv"
	"strings"

	flowpb "weir/proto"
)

// opcodes are WebSocket's (RFC 6455, section 5.2) and the messages they make.
var opcodes = map[float64]flowpb.MessageType{
	1: flowpb.MessageText, 2: flowpb.MessageBinary,
	8: flowpb.MessageClose, 9: flowpb.MessagePing, 10: flowpb.MessagePong,
}

// webSocket makes the flow one over WebSocket, if there is a list of messages.
func (e *entry) webSocket(w *flowpb.Whole, list value) {
	if list.kind() != '[' {
		return
	}
	n, last := uint64(0), e.http.GetResponse().GetEndedNs()
	list = append(value(nil), list...) // the entry's memory is used again
	for v := range list.elements() {
		n++
		last = max(last, message(v).GetAtNs())
	}
	e.http.Upgrade = &flowpb.Upgrade{Protocol: []byte("websocket"), EndedNs: last}
	e.http.Websocket = &flowpb.WebSocket{Messages: n, EndedNs: last}
	w.Messages = messages(list)
}

func messages(list value) iter.Seq2[*flowpb.Message, error] {
	return func(yield func(*flowpb.Message, error) bool) {
		for v := range list.elements() {
			if !yield(message(v), nil) {
				return
			}
		}
	}
}

func message(v value) *flowpb.Message {
	m := &flowpb.Message{Side: flowpb.SideResponse, Type: flowpb.MessageText}
	binary := false
	for key, v := range v.members() {
		switch key {
		case "type":
			if v.text() == "send" {
				m.Side = flowpb.SideRequest
			}
		case "time":
			m.AtNs = seconds(v)
		case "opcode":
			op, _ := v.number()
			if t, ok := opcodes[op]; ok {
				m.Type = t
			}
			binary = op == 2
		case "data":
			m.Content = v.bytes()
		}
	}
	if binary || m.GetType() != flowpb.MessageText {
		m.Content = unbase64(m.GetContent())
	}
	return m
}

// hostPort writes an address; one of IPv6 stands in brackets.
func hostPort(host string, port uint32) []byte {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return strconv.AppendUint([]byte(host+":"), uint64(port), 10)
}
