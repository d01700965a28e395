package bench

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"time"

	flowpb "weir/proto"
	"weir/store"
)

// source makes complete flows like those a browser makes of an API: some twenty
// header lines, a head of about 1.4 KB, and a JSON body.
type source struct {
	flows []*flowpb.Flow // in turns
	body  []byte
}

// sourceFlows is how many flows differ; after that they come again.
const sourceFlows = 512

func newSource(bodySize int) *source {
	s := &source{body: jsonBody(max(0, bodySize))}
	for n := range sourceFlows {
		s.flows = append(s.flows, sampleFlow(n, len(s.body)))
	}
	return s
}

// jsonBody is n bytes that look like a page of an API's answer.
func jsonBody(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, `{"id": %d, "name": "item %x", "price": %d.%02d, "tags": ["new", "sale"], "stock": %t},`+"\n", i, i*7919, i%300, i%100, i%3 == 0)
	}
	return b.Bytes()[:n]
}

// sampleFlow is a complete flow; n makes it differ from others.
func sampleFlow(n, size int) *flowpb.Flow {
	at := int64(1_767_225_600_000_000_000 + n*1_000_000)
	host := fmt.Sprintf("api-%d.example.com", n%50)
	return &flowpb.Flow{
		State: flowpb.StateComplete, CreatedNs: at, Client: fmt.Appendf(nil, "127.0.0.1:%d", 32768+n), Server: []byte(host + ":443"),
		Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{
			Request: &flowpb.Request{
				Method: []byte("GET"), Scheme: []byte("https"), Host: []byte(host), Port: 443, Authority: []byte(host),
				Path:    fmt.Appendf(nil, "/v1/catalogue/%d/items?page=%d&sort=price", n, n%40),
				Version: []byte("HTTP/1.1"), StartedNs: at, EndedNs: at + 90_000,
				Headers: fields(
					"Host", host, "Connection", "keep-alive",
					"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
					"Accept", "application/json, text/plain, */*", "Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors",
					"Referer", "https://www.example.com/shop/", "Accept-Encoding", "gzip, deflate, br, zstd", "Accept-Language", "en-GB,en;q=0.9",
					"Authorization", "Bearer "+string(bytes.Repeat([]byte("0123456789abcdef"), 12)),
					"Cookie", "session="+strconv.Itoa(n*7919)+"; consent=all; variant=b"),
			},
			Response: &flowpb.Response{
				Status: 200, Reason: []byte("OK"), Version: []byte("HTTP/1.1"), StartedNs: at + 40_000_000, EndedNs: at + 41_000_000,
				Headers: fields(
					"Date", "Thu, 01 Jan 2026 00:00:00 GMT", "Content-Type", "application/json; charset=utf-8",
					"Content-Length", strconv.Itoa(size), "Connection", "keep-alive", "Cache-Control", "private, no-store",
					"ETag", `W/"`+strconv.Itoa(n)+`-QbA0p3vJ0d1lJv0xk"`, "Vary", "Origin, Accept-Encoding",
					"Strict-Transport-Security", "max-age=63072000; includeSubDomains; preload",
					"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'", "X-Request-Id", fmt.Sprintf("%032x", n*104729),
					"Server", "envoy", "X-Envoy-Upstream-Service-Time", "38"),
				Body: &flowpb.Body{State: flowpb.BodyComplete, Size: uint64(size)},
			},
		}},
	}
}

// fields makes header lines of name, value, name, value …
func fields(pairs ...string) (out []*flowpb.Field) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, &flowpb.Field{Name: []byte(pairs[i]), Value: []byte(pairs[i+1])})
	}
	return out
}

// record gives flow number n to w as a new flow.
func (s *source) record(ctx context.Context, w *store.Writer, n int) error {
	f := s.flows[n%len(s.flows)]
	f.Id = 0
	if err := w.Flow(ctx, f); err != nil {
		return err
	}
	return w.Body(ctx, f.GetId(), flowpb.SideResponse, s.body)
}

// pacer lets so many flows a second pass. What came late is made up for at once,
// as a client does that was held up. The zero rate does not wait.
type pacer struct {
	rate  float64
	began time.Time
}

// wait returns when flow number n is due.
func (p *pacer) wait(ctx context.Context, n int) error {
	if p.rate <= 0 {
		return ctx.Err()
	}
	due := p.began.Add(time.Duration(float64(n) / p.rate * float64(time.Second)))
	return rest(ctx, time.Until(due))
}
