package har

import (
	"fmt"
	"strings"
	"testing"

	flowpb "weir/proto"
)

// entryWith is a file of one entry with some of its members.
func entryWith(date, post, content string) string {
	return fmt.Sprintf(`{"log":{"entries":[{"startedDateTime":%s,"time":1,"request":{"method":"POST","url":"http://x.test/",
"httpVersion":"HTTP/1.1","headers":[],"postData":%s},"response":{"status":200,"headers":[],"content":%s}}]}}`, date, post, content)
}

func TestPostData(t *testing.T) {
	const params = `"params":[{"name":"a b","value":"c&d"},{"name":"f","fileName":"x \".txt","contentType":"text/plain","value":"é"}]`
	for _, c := range []struct{ post, want string }{
		{`{"mimeType":"text/plain","text":"said"}`, "said"},
		{`{"mimeType":"text/plain","text":"said",` + params + `}`, "said"},
		{`{"mimeType":"text/plain","text":""}`, ""},
		{`{"mimeType":"application/x-www-form-urlencoded","text":"",` + params + `}`, "a+b=c%26d&f=%C3%A9"},
		{`{"mimeType":"multipart/form-data",` + params + `}`, "a+b=c%26d&f=%C3%A9"},
		{
			`{"mimeType":"multipart/form-data; boundary=XX",` + params + `}`,
			"--XX\r\nContent-Disposition: form-data; name=\"a b\"\r\n\r\nc&d\r\n" +
				"--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x %22.txt\"\r\nContent-Type: text/plain\r\n\r\né\r\n--XX--\r\n",
		},
	} {
		flows, skipped, err := all(t, strings.NewReader(entryWith(`"2024-03-01T12:00:00Z"`, c.post, `{}`)))
		if err != nil || len(skipped) > 0 || len(flows) != 1 {
			t.Fatalf("%s: got %d flows, skipped %v, %v", c.post, len(flows), skipped, err)
		}
		if got := body(t, flows[0], flowpb.SideRequest); got != c.want {
			t.Errorf("%s: got %q, want %q", c.post, got, c.want)
		}
	}
}

func TestContent(t *testing.T) {
	for _, c := range []struct{ content, want string }{
		{`{"size":2,"text":"AP8=","encoding":"base64"}`, "\x00\xff"},
		{`{"size":2,"text":"AP8","encoding":"base64"}`, "\x00\xff"},
		{`{"size":7,"text":"{\"a\":1}","encoding":"base64"}`, `{"a":1}`},
	} {
		flows, _, err := all(t, strings.NewReader(entryWith(`"2024-03-01T12:00:00Z"`, `null`, c.content)))
		if err != nil || len(flows) != 1 {
			t.Fatalf("%s: got %d flows, %v", c.content, len(flows), err)
		}
		if got := body(t, flows[0], flowpb.SideResponse); got != c.want {
			t.Errorf("%s: got %q, want %q", c.content, got, c.want)
		}
	}
}

func TestDates(t *testing.T) {
	const noon = 1709294400_000_000_000
	for date, want := range map[string]int64{
		`"2024-03-01T12:00:00Z"`: noon, `"2024-03-01T14:00:00.000+02:00"`: noon, `"2024-03-01T04:00:00-0800"`: noon, `"2024-03-01 12:00:00"`: noon,
		`"2024-03-01T12:00Z"`: noon, `"2024-03-01"`: noon - 12*3600e9, `1709294400000`: noon, `"1709294400123"`: noon + 123e6, `1709294400.5`: noon + 500e6,
		`"9999-12-31T23:59:59Z"`: 0, `"0001-01-01T00:00:00Z"`: 0, `-5`: 0, `1e300`: 0, `null`: 0, `"soon"`: 0, `"NaN"`: 0,
	} {
		flows, _, err := all(t, strings.NewReader(entryWith(date, `null`, `{}`)))
		if err != nil || len(flows) != 1 {
			t.Fatalf("%s: got %d flows, %v", date, len(flows), err)
		}
		if got := flows[0].Flow.GetCreatedNs(); got != want {
			t.Errorf("%s: got %d, want %d", date, got, want)
		}
	}
}
