package seed

import flowpb "weir/proto"

// What a seeded session is made of. A value that stands several times is drawn as
// many times as often. Changing a table changes every seeded session.

type failure struct {
	code    flowpb.ErrorCode
	message string
}

var (
	prefixes = []string{"api", "www", "cdn", "img", "auth", "static", "events", "shop"}
	domains  = []string{"example", "weir-test", "harbour", "lighthouse", "quay"}
	ends     = []string{"com", "org", "net", "example"}
	methods  = []string{"GET", "GET", "GET", "GET", "GET", "GET", "GET", "POST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}
	paths    = []string{
		"/", "/v1/users", "/v1/orders", "/v2/items/search", "/assets/js/chunk", "/assets/css/site", "/images/thumb",
		"/graphql", "/login", "/healthz", "/api/internal/metrics", "/feed", "/download/file",
	}
	words = []string{
		"river", "stone", "water", "sluice", "gate", "harbour", "current", "stream", "pool", "reed", "heron", "trout",
		"bridge", "bank", "meadow", "willow", "ferry", "mill",
	}
	agents   = []string{"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "curl/8.14.1", "Go-http-client/1.1", "okhttp/5.1.0"}
	servers  = []string{"nginx", "envoy", "Apache", "cloudfront"}
	statuses = []string{
		"200 OK", "200 OK", "200 OK", "200 OK", "200 OK", "200 OK", "200 OK", "200 OK", "201 Created", "204 No Content",
		"206 Partial Content", "301 Moved Permanently", "302 Found", "304 Not Modified", "400 Bad Request", "401 Unauthorized",
		"403 Forbidden", "429 Too Many Requests", "500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable",
	}
	types = []string{
		"application/json", "application/json", "application/json; charset=utf-8", "text/html; charset=utf-8", "text/css",
		"application/javascript", "image/png", "image/jpeg", "image/webp", "font/woff2", "application/octet-stream", "text/plain",
	}
	errors = []failure{
		{flowpb.CodeDNS, "the name does not resolve"},
		{flowpb.CodeConnect, "connection refused"},
		{flowpb.CodeTimeout, "no answer in 60 s"},
		{flowpb.CodeTLS, "the certificate has expired"},
		{flowpb.CodeClientGone, "the client closed the connection"},
		{flowpb.CodeServerGone, "the server closed the connection before its response"},
	}
)
