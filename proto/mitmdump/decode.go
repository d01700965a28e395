package mitmdump

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	flowpb "weir/proto"
)

// Names of meta under which a flow keeps what it has no field for.
const (
	metaID          = "mitmproxy.id"
	metaData        = "mitmproxy.metadata" // as JSON
	metaIntercepted = "mitmproxy.intercepted"
)

// killed is how mitmproxy says that a user or rule ended a flow.
const killed = "Connection killed."

// decoding is one flow being made of its state.
type decoding struct {
	s      state
	w      *flowpb.Whole
	bodies map[flowpb.Side][]byte
}

// protocol reads what only flows of one type have.
func (d *decoding) protocol() error {
	f := d.w.Flow
	switch kind := d.s.text("type"); kind {
	case "http":
		return d.http()
	case "tcp", "udp":
		stream := d.stream(d.s.list("messages"))
		f.Protocol = &flowpb.Flow_Tcp{Tcp: stream}
		if kind == "udp" {
			f.Protocol = &flowpb.Flow_Udp{Udp: stream}
		}
		if f.GetCreatedNs() == 0 {
			f.CreatedNs = d.w.Client.GetStartedNs()
		}
	case "dns":
		out := &flowpb.Dns{Request: dnsOf(d.s.dict("request")), Response: dnsOf(d.s.dict("response"))}
		f.Protocol = &flowpb.Flow_Dns{Dns: out}
	default:
		return fmt.Errorf("a flow of the unknown type %.40q", kind)
	}
	return nil
}

// common reads what all flows have.
func (d *decoding) common() {
	f, s := d.w.Flow, d.s
	f.Client = join(d.w.Client.GetPeer())
	f.Server = join(d.w.Server.GetTarget())
	if f.Server == nil {
		f.Server = join(d.w.Server.GetPeer())
	}
	switch s.text("is_replay") {
	case "request":
		f.Replay = flowpb.ReplayRequest
	case "response":
		f.Replay = flowpb.ReplayResponse
	}
	if e := s.dict("error"); e != nil {
		f.State = flowpb.StateError
		f.Error = &flowpb.Error{Message: e.text("msg"), AtNs: e.ns("timestamp")}
		if f.Error.Message == killed {
			f.Error.Code = flowpb.CodeKilled
		}
	}
	d.keep(metaID, s.text("id"))
	if s.bool("intercepted") {
		d.keep(metaIntercepted, "true")
	}
	if meta := s.dict("metadata"); len(meta) > 0 {
		if p, err := json.Marshal(readable(meta, 0)); err == nil {
			d.keep(metaData, string(p))
		}
	}
}

func (d *decoding) keep(key, text string) {
	if text != "" {
		d.w.Flow.Meta = append(d.w.Flow.Meta, &flowpb.Meta{Key: key, Value: text})
	}
}

// readable makes JSON's values of a state's.
func readable(v any, depth int) any {
	if depth > 16 {
		return nil
	}
	switch v := v.(type) {
	case state:
		out := make(map[string]any, len(v))
		for key, e := range v {
			out[strings.ToValidUTF8(key, "\ufffd")] = readable(e, depth+1)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = readable(v[i], depth+1)
		}
		return out
	case []byte, string:
		return asText(v)
	case float64:
		if v != v || v > 1e300 || v < -1e300 { // JSON has no name for these
			return nil
		}
	}
	return v
}

func join(a *flowpb.Address) []byte {
	if a == nil {
		return nil
	}
	host := string(a.GetHost())
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() {
		host = "[" + host + "]"
	}
	return strconv.AppendUint([]byte(host+":"), uint64(a.GetPort()), 10)
}

// stream reads the messages of a TCP or UDP flow: [from client, content, time].
func (d *decoding) stream(list []any) *flowpb.Stream {
	out := &flowpb.Stream{}
	var all []*flowpb.Message
	for _, e := range list {
		m, ok := e.([]any)
		if !ok || len(m) < 3 {
			continue
		}
		msg := &flowpb.Message{Side: side(asBool(m[0])), Type: flowpb.MessageData, Content: asBytes(m[1]), AtNs: asNs(m[2])}
		if asBool(m[0]) {
			out.ClientBytes += uint64(len(msg.Content))
		} else {
			out.ServerBytes += uint64(len(msg.Content))
		}
		out.Messages++
		out.EndedNs = max(out.EndedNs, msg.AtNs)
		all = append(all, msg)
	}
	d.w.Messages = listed(all)
	return out
}

func side(fromClient bool) flowpb.Side {
	if fromClient {
		return flowpb.SideRequest
	}
	return flowpb.SideResponse
}

// listed yields messages that are in memory.
func listed(all []*flowpb.Message) func(func(*flowpb.Message, error) bool) {
	return func(yield func(*flowpb.Message, error) bool) {
		for _, m := range all {
			if !yield(m, nil) {
				return
			}
		}
	}
}

func dnsOf(m state) *flowpb.DnsMessage {
	if m == nil {
		return nil
	}
	out := &flowpb.DnsMessage{
		Id: within(m["id"], 1<<16-1), OpCode: within(m["op_code"], 15), ResponseCode: within(m["response_code"], 1<<12-1),
		ReservedBits: within(m["reserved"], 7), Authoritative: m.bool("authoritative_answer"), Truncated: m.bool("truncation"),
		RecursionDesired: m.bool("recursion_desired"), RecursionAvailable: m.bool("recursion_available"), AtNs: m.ns("timestamp"),
		Answers: recordsOf(m.list("answers")), Authorities: recordsOf(m.list("authorities")), Additionals: recordsOf(m.list("additionals")),
	}
	for _, e := range m.list("questions") {
		if q, ok := e.(state); ok {
			out.Questions = append(out.Questions, &flowpb.DnsQuestion{
				Name: q.bytes("name"), Type: within(q["type"], 1<<16-1), Class: within(q["class_"], 1<<16-1),
			})
		}
	}
	return out
}

func recordsOf(list []any) (out []*flowpb.DnsRecord) {
	for _, e := range list {
		if r, ok := e.(state); ok {
			out = append(out, &flowpb.DnsRecord{
				Name: r.bytes("name"), Type: within(r["type"], 1<<16-1), Class: within(r["class_"], 1<<16-1),
				Ttl: within(r["ttl"], 1<<32-1), Data: r.bytes("data"),
			})
		}
	}
	return out
}
