package contract

import (
	"encoding/hex"

	flowpb "weir/proto"
)

// DNS is a question and its answer.
type DNS struct {
	Request  *DNSMessage `json:"request"`
	Response *DNSMessage `json:"response"`
}

// DNSMessage is one DNS message. Types, classes and codes are IANA's numbers.
type DNSMessage struct {
	ID                 uint32        `json:"id"`
	OpCode             uint32        `json:"op_code"`
	ResponseCode       uint32        `json:"response_code"`
	Authoritative      bool          `json:"authoritative"`
	Truncated          bool          `json:"truncated"`
	RecursionDesired   bool          `json:"recursion_desired"`
	RecursionAvailable bool          `json:"recursion_available"`
	Questions          []DNSQuestion `json:"questions"`
	Answers            []DNSRecord   `json:"answers"`
	Authorities        []DNSRecord   `json:"authorities"`
	Additionals        []DNSRecord   `json:"additionals"`
}

// DNSQuestion is what is asked.
type DNSQuestion struct {
	Name  string `json:"name"`
	Type  uint32 `json:"type"`
	Class uint32 `json:"class"`
}

// DNSRecord is what is answered.
type DNSRecord struct {
	Name  string `json:"name"`
	Type  uint32 `json:"type"`
	Class uint32 `json:"class"`
	TTL   uint32 `json:"ttl"`
	Data  string `json:"data"` // in hexadecimal, names in it without compression
}

func newDNS(d *flowpb.Dns) *DNS {
	if d == nil {
		return nil
	}
	return &DNS{Request: newDNSMessage(d.GetRequest()), Response: newDNSMessage(d.GetResponse())}
}

func newDNSMessage(m *flowpb.DnsMessage) *DNSMessage {
	if m == nil {
		return nil
	}
	out := &DNSMessage{
		ID: m.GetId(), OpCode: m.GetOpCode(), ResponseCode: m.GetResponseCode(),
		Authoritative: m.GetAuthoritative(), Truncated: m.GetTruncated(),
		RecursionDesired: m.GetRecursionDesired(), RecursionAvailable: m.GetRecursionAvailable(),
		Questions: []DNSQuestion{},
		Answers:   newDNSRecords(m.GetAnswers()), Authorities: newDNSRecords(m.GetAuthorities()), Additionals: newDNSRecords(m.GetAdditionals()),
	}
	for _, q := range m.GetQuestions() {
		out.Questions = append(out.Questions, DNSQuestion{String(string(q.GetName())), q.GetType(), q.GetClass()})
	}
	return out
}

func newDNSRecords(records []*flowpb.DnsRecord) []DNSRecord {
	out := make([]DNSRecord, len(records))
	for i, r := range records {
		out[i] = DNSRecord{String(string(r.GetName())), r.GetType(), r.GetClass(), r.GetTtl(), hex.EncodeToString(r.GetData())}
	}
	return out
}
