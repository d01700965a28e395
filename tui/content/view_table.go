package content

import "strings"

// Views returns every view, in the order in which they are offered. Of two with
// the same priority the first is picked.
func Views() []View {
	return []View{
		{Name: "json", Help: "JSON, indented", priority: jsonPriority, render: renderJSON},
		{Name: "form", Help: "URL-encoded form, decoded", priority: only("application/x-www-form-urlencoded"), render: renderForm},
		{Name: "multipart", Help: "parts of a multipart body", priority: multipartPriority, render: renderMultipart},
		{Name: "query", Help: "the query of the URL, decoded", priority: queryPriority, render: renderQuery},
		{Name: "xml", Help: "XML or HTML, re-indented", priority: markupPriority, render: renderMarkup},
		{Name: "css", Help: "CSS, coloured", priority: only("text/css"), render: renderCSS},
		{Name: "javascript", Help: "JavaScript, coloured", priority: scriptPriority, render: renderScript},
		{Name: "image", Help: "facts about an image", priority: imagePriority, render: renderImage},
		{Name: "hex", Help: "offsets, bytes, ASCII", Windowed: true, priority: hexPriority, render: renderHex},
		{Name: "text", Help: "text in its charset", priority: textPriority, render: renderText},
		{Name: "raw", Help: "UTF-8, other bytes escaped", Windowed: true, priority: rawPriority, render: renderRaw},
		{Name: "grpc", Help: "gRPC messages, without a schema", priority: grpcPriority, render: renderGRPC},
		{Name: "protobuf", Help: "protocol buffers, without a schema", priority: protobufPriority, render: renderProtobuf},
	}
}

// only is the priority of a view for a single media type.
func only(want string) func(*Input, string) float64 {
	return func(in *Input, media string) float64 {
		if media == want && len(in.Data) > 0 {
			return 1
		}
		return 0
	}
}

func jsonPriority(in *Input, media string) float64 {
	switch {
	case len(in.Data) == 0:
		return 0
	case media == "application/json", media == "application/json-rpc", media == "text/json",
		media == "application/jsonl", media == "application/x-ndjson", media == "application/ndjson",
		strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "json"),
		strings.HasSuffix(media, "+json"):
		return 1
	case untold(media) && sniffJSON(in.Data):
		return 0.4
	}
	return 0
}

func multipartPriority(in *Input, media string) float64 {
	if strings.HasPrefix(media, "multipart/") && len(in.Data) > 0 {
		return 1
	}
	return 0
}

func grpcPriority(in *Input, media string) float64 {
	if len(in.Data) > 0 && (media == "application/grpc" || strings.HasPrefix(media, "application/grpc+")) {
		return 1
	}
	return 0
}

func protobufPriority(in *Input, media string) float64 {
	switch media {
	case "application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf", "application/x-google-protobuf":
		return only(media)(in, media)
	}
	return 0
}

func queryPriority(in *Input, _ string) float64 {
	if len(in.Data) == 0 && len(in.Query) > 0 {
		return 0.3
	}
	return 0
}

func markupPriority(in *Input, media string) float64 {
	switch {
	case len(in.Data) == 0:
		return 0
	case media == "text/xml", media == "text/html", media == "application/xml", strings.HasSuffix(media, "+xml"):
		return 1
	case sniffMarkup(in.Data):
		return 0.4
	}
	return 0
}

func scriptPriority(in *Input, media string) float64 {
	switch media {
	case "application/javascript", "application/x-javascript", "text/javascript", "application/ecmascript":
		return only(media)(in, media)
	}
	return 0
}

func imagePriority(in *Input, media string) float64 {
	switch {
	case len(in.Data) == 0 || strings.HasSuffix(media, "+xml"):
		return 0
	case strings.HasPrefix(media, "image/"):
		return 1
	case untold(media) && sniffImage(in.Data) != "":
		return 0.6
	}
	return 0
}

func hexPriority(in *Input, _ string) float64 {
	if isBinary(in.Data) {
		return 0.5
	}
	return 0
}

// textPriority prefers the decoded text only where raw bytes would not be read.
func textPriority(in *Input, media string) float64 {
	if strings.HasPrefix(media, "text/") && len(in.Data) > 0 && foreign(in) {
		return 0.6
	}
	return 0.05
}

func rawPriority(*Input, string) float64 { return 0.1 }
