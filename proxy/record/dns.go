package record

import (
	flowpb "weir/proto"
	"weir/proxy/dns"
)

// DNSMessage is m, which passed at that time, as flows keep it; nil becomes an empty
// one. Times are nanoseconds since 1970.
func DNSMessage(m *dns.Message, at int64) *flowpb.DnsMessage {
	if m == nil {
		return &flowpb.DnsMessage{AtNs: at}
	}
	out := &flowpb.DnsMessage{
		AtNs: at, Id: uint32(m.ID), OpCode: uint32(m.OpCode), ResponseCode: uint32(m.Code), ReservedBits: uint32(m.Reserved),
		Authoritative: m.Authoritative, Truncated: m.Truncated,
		RecursionDesired: m.RecursionDesired, RecursionAvailable: m.RecursionAvailable,
		Answers: dnsRecords(m.Answers), Authorities: dnsRecords(m.Authorities), Additionals: dnsRecords(m.Additionals),
	}
	for _, q := range m.Questions {
		out.Questions = append(out.Questions, &flowpb.DnsQuestion{Name: q.Name, Type: uint32(q.Type), Class: uint32(q.Class)})
	}
	return out
}

func dnsRecords(records []dns.Record) (out []*flowpb.DnsRecord) {
	for _, r := range records {
		out = append(out, &flowpb.DnsRecord{Name: r.Name, Type: uint32(r.Type), Class: uint32(r.Class), Ttl: r.TTL, Data: r.Data})
	}
	return out
}
