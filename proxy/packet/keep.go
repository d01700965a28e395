package packet

import (
	flowpb "weir/proto"
	"weir/proxy/h1"
)

// kept is a head that outlives its reader.
type kept struct {
	method, target, version, reason, start []byte
	fields                                 []*flowpb.Field
}

// arena copies byte slices into one block.
type arena []byte

func (a *arena) copy(p []byte) []byte {
	if p == nil {
		return nil
	}
	n := len(*a)
	*a = append(*a, p...)
	return (*a)[n:len(*a):len(*a)]
}

// keep copies what a flow needs of a head. Lines that cannot be put together again
// from their parts are kept as they came.
func keep(h *h1.Head) kept {
	size := 2*len(h.Start) + 8
	for i := range h.Fields {
		size += len(h.Fields[i].Name) + len(h.Fields[i].Value) + len(h.Fields[i].Raw)
	}
	a := make(arena, 0, size)
	k := kept{
		method: a.copy(h.Method), target: a.copy(h.Target), version: a.copy(h.Version), reason: a.copy(h.Reason),
		fields: a.fields(h.Fields),
	}
	plain := len(h.Method)+len(h.Target)+len(h.Version)+2 == len(h.Start) && len(h.Method) > 0
	if h.Role == h1.Response {
		plain = h.Reason != nil && len(h.Version)+len(" 200 ")+len(h.Reason) == len(h.Start)
	}
	if !plain {
		k.start = a.copy(h.Start)
	}
	return k
}

func (a *arena) fields(fields []h1.Field) []*flowpb.Field {
	if len(fields) == 0 {
		return nil
	}
	all := make([]flowpb.Field, len(fields))
	out := make([]*flowpb.Field, len(fields))
	for i := range fields {
		all[i].Name, all[i].Value, all[i].Raw = a.copy(fields[i].Name), a.copy(fields[i].Value), a.copy(fields[i].Raw)
		out[i] = &all[i]
	}
	return out
}

// copied is fields on their own.
func copied(fields []h1.Field) []*flowpb.Field {
	size := 0
	for i := range fields {
		size += len(fields[i].Name) + len(fields[i].Value) + len(fields[i].Raw)
	}
	a := make(arena, 0, size)
	return a.fields(fields)
}

func fill(p *flowpb.Response, h *h1.Head) {
	k := keep(h)
	p.Version, p.Status, p.Reason, p.StartLine, p.Headers = k.version, uint32(h.Status), k.reason, k.start, k.fields
}
