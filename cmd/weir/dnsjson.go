package main

import (
	"encoding/hex"

	flowpb "weir/proto"
)

// dnsJSON is a question and its answer.
type dnsJSON struct {
	Request  *dnsMessageJSON `json:"request"`
	Response *dnsMessageJSON `json:"response"`
}

// dnsMessageJSON is one DNS message. Types, classes and codes are IANA's numbers.
type dnsMessageJSON struct {
	ID                 uint32            `json:"id"`
	OpCode             uint32            `json:"op_code"`
	ResponseCode       uint32            `json:"response_code"`
	Authoritative      bool              `json:"authoritative"`
	Truncated          bool              `json:"truncated"`
	RecursionDesired   bool              `json:"recursion_desired"`
	RecursionAvailable bool              `json:"recursion_available"`
	Questions          []dnsQuestionJSON `json:"questions"`
	Answers            []dnsRecordJSON   `json:"answers"`
	Authorities        []dnsRecordJSON   `json:"authorities"`
	Additionals        []dnsRecordJSON   `json:"additionals"`
}

type dnsQuestionJSON struct {
	Name  string `json:"name"`
	Type  uint32 `json:"type"`
	Class uint32 `json:"class"`
}

type dnsRecordJSON struct {
	Name  string `json:"name"`
	Type  uint32 `json:"type"`
	Class uint32 `json:"class"`
	TTL   uint32 `json:"ttl"`
	Data  string `json:"data"` // in hexadecimal, names in it without compression
}

func newDNS(d *flowpb.Dns) *dnsJSON {
	if d == nil {
		return nil
	}
	return &dnsJSON{Request: newDNSMessage(d.GetRequest()), Response: newDNSMessage(d.GetResponse())}
}

func newDNSMessage(m *flowpb.DnsMessage) *dnsMessageJSON {
	if m == nil {
		return nil
	}
	out := &dnsMessageJSON{
		ID: m.GetId(), OpCode: m.GetOpCode(), ResponseCode: m.GetResponseCode(),
		Authoritative: m.GetAuthoritative(), Truncated: m.GetTruncated(),
		RecursionDesired: m.GetRecursionDesired(), RecursionAvailable: m.GetRecursionAvailable(),
		Questions: []dnsQuestionJSON{},
		Answers:   newDNSRecords(m.GetAnswers()), Authorities: newDNSRecords(m.GetAuthorities()), Additionals: newDNSRecords(m.GetAdditionals()),
	}
	for _, q := range m.GetQuestions() {
		out.Questions = append(out.Questions, dnsQuestionJSON{jsonText(string(q.GetName())), q.GetType(), q.GetClass()})
	}
	return out
}

func newDNSRecords(records []*flowpb.DnsRecord) []dnsRecordJSON {
	out := make([]dnsRecordJSON, len(records))
	for i, r := range records {
		out[i] = dnsRecordJSON{jsonText(string(r.GetName())), r.GetType(), r.GetClass(), r.GetTtl(), hex.EncodeToString(r.GetData())}
	}
	return out
}
