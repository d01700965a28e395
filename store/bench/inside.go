package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"

	flowpb "weir/proto"
	"weir/proto/mitmdump/tnetstring"
)

// encoding writes a flow with its body inside.
type encoding interface {
	encode(f *flowpb.Flow, body []byte) ([]byte, error)
	decode(p []byte) (body []byte, err error)
}

// inside is how others keep a flow: one value with the body in it. Whoever wants
// the head loads the body too.
type inside struct {
	encoding
	flow *flowpb.Flow
	body []byte
	data []byte
}

func (in *inside) dump(context.Context) (n int64, err error) {
	in.data, err = in.encode(in.flow, in.body)
	return int64(len(in.data)), err
}

func (in *inside) load(context.Context) error {
	return in.check(bytes.Clone(in.data)) // the body's memory is the flow's own, as in the other formats
}

func (in *inside) head(ctx context.Context) error { return in.load(ctx) }

func (in *inside) close() error { return nil }

func (in *inside) check(p []byte) error {
	body, err := in.decode(p)
	if err != nil {
		return err
	}
	return checkLength(len(body), len(in.body))
}

// file is the same in a file of its own.
type file struct {
	*inside
	path string
}

func (f *file) dump(ctx context.Context) (n int64, err error) {
	if n, err = f.inside.dump(ctx); err != nil {
		return 0, err
	}
	to, err := os.Create(f.path)
	if err != nil {
		return 0, err
	}
	_, err = to.Write(f.data)
	return n, errors.Join(err, to.Sync(), to.Close())
}

func (f *file) load(context.Context) error {
	p, err := os.ReadFile(f.path)
	if err != nil {
		return err
	}
	return f.check(p)
}

func (f *file) head(ctx context.Context) error { return f.load(ctx) }

// netstrings is mitmproxy's dump: a dictionary like that of its flows.
type netstrings struct{}

func (netstrings) encode(f *flowpb.Flow, body []byte) ([]byte, error) {
	q, p := f.GetHttp().GetRequest(), f.GetHttp().GetResponse()
	seconds := func(ns int64) float64 { return float64(ns) / 1e9 }
	return tnetstring.Append(nil, tnetstring.Dict{
		{Key: "version", Value: int64(21)},
		{Key: "type", Value: "http"},
		{Key: "id", Value: "00000000-0000-0000-0000-000000000001"},
		{Key: "error", Value: nil},
		{Key: "client_conn", Value: connState(string(f.GetClient()))},
		{Key: "server_conn", Value: connState(string(f.GetServer()))},
		{Key: "intercepted", Value: false},
		{Key: "is_replay", Value: nil},
		{Key: "marked", Value: ""},
		{Key: "metadata", Value: tnetstring.Dict{}},
		{Key: "comment", Value: ""},
		{Key: "timestamp_created", Value: seconds(f.GetCreatedNs())},
		{Key: "request", Value: tnetstring.Dict{
			{Key: "http_version", Value: q.GetVersion()},
			{Key: "headers", Value: fieldList(q.GetHeaders())},
			{Key: "content", Value: []byte{}},
			{Key: "trailers", Value: nil},
			{Key: "timestamp_start", Value: seconds(q.GetStartedNs())},
			{Key: "timestamp_end", Value: seconds(q.GetEndedNs())},
			{Key: "host", Value: string(q.GetHost())},
			{Key: "port", Value: int64(q.GetPort())},
			{Key: "method", Value: q.GetMethod()},
			{Key: "scheme", Value: q.GetScheme()},
			{Key: "authority", Value: q.GetAuthority()},
			{Key: "path", Value: q.GetPath()},
		}},
		{Key: "response", Value: tnetstring.Dict{
			{Key: "http_version", Value: p.GetVersion()},
			{Key: "headers", Value: fieldList(p.GetHeaders())},
			{Key: "content", Value: body},
			{Key: "trailers", Value: nil},
			{Key: "timestamp_start", Value: seconds(p.GetStartedNs())},
			{Key: "timestamp_end", Value: seconds(p.GetEndedNs())},
			{Key: "status_code", Value: int64(p.GetStatus())},
			{Key: "reason", Value: p.GetReason()},
		}},
		{Key: "websocket", Value: nil},
	})
}

// connState is a connection as a flow of a dump repeats it, certificates left out.
func connState(address string) tnetstring.Dict {
	d := tnetstring.Dict{{Key: "address", Value: tnetstring.List{address, int64(443)}}}
	for _, key := range []string{
		"sockname", "peername", "state", "error", "tls", "alpn", "alpn_offers", "cipher", "cipher_list", "id", "sni", "tls_version",
		"timestamp_start", "timestamp_end", "timestamp_tls_setup", "certificate_list", "transport_protocol", "via",
	} {
		d = append(d, tnetstring.Entry{Key: key, Value: nil})
	}
	return d
}

func fieldList(fields []*flowpb.Field) tnetstring.List {
	out := make(tnetstring.List, len(fields))
	for i, f := range fields {
		out[i] = tnetstring.List{f.GetName(), f.GetValue()}
	}
	return out
}

func (netstrings) decode(p []byte) ([]byte, error) {
	v, _, err := tnetstring.Parse(p)
	if err != nil {
		return nil, err
	}
	flow, _ := v.(tnetstring.Dict)
	response, _ := flow.Get("response").(tnetstring.Dict)
	body, _ := response.Get("content").([]byte)
	return body, nil
}

// jsonText is the flow as encoding/json writes it: bytes in base64.
type jsonText struct{}

type jsonFlow struct {
	Created        int64
	Client, Server string
	Request        jsonMessage
	Response       jsonMessage
	Method, Scheme string
	Host, Path     string
	Port, Status   uint32
	Authority      string
	Reason         string
	Body           []byte
}

type jsonMessage struct {
	Version      string
	Started, End int64
	Headers      [][2]string
}

func (jsonText) encode(f *flowpb.Flow, body []byte) ([]byte, error) {
	q, p := f.GetHttp().GetRequest(), f.GetHttp().GetResponse()
	return json.Marshal(jsonFlow{
		Created: f.GetCreatedNs(), Client: string(f.GetClient()), Server: string(f.GetServer()),
		Request:  jsonMessage{string(q.GetVersion()), q.GetStartedNs(), q.GetEndedNs(), headerPairs(q.GetHeaders())},
		Response: jsonMessage{string(p.GetVersion()), p.GetStartedNs(), p.GetEndedNs(), headerPairs(p.GetHeaders())},
		Method:   string(q.GetMethod()), Scheme: string(q.GetScheme()), Host: string(q.GetHost()), Path: string(q.GetPath()),
		Port: q.GetPort(), Status: p.GetStatus(), Authority: string(q.GetAuthority()), Reason: string(p.GetReason()), Body: body,
	})
}

func headerPairs(fields []*flowpb.Field) [][2]string {
	out := make([][2]string, len(fields))
	for i, f := range fields {
		out[i] = [2]string{string(f.GetName()), string(f.GetValue())}
	}
	return out
}

func (jsonText) decode(p []byte) ([]byte, error) {
	var f jsonFlow
	err := json.Unmarshal(p, &f)
	return f.Body, err
}
