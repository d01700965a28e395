// Package openapi sketches the API that a session saw, as an OpenAPI 3.1 document in
// JSON: which paths there are, with which parameters, bodies and answers.
//
// It is a beginning for somebody who knows the API and no specification: it tells
// what was seen, and what was never seen is not in it. Segments of a path that look like
// ids (numbers, UUIDs, hashes, dates) become parameters. A property is required where
// every sample had it, a query parameter where every request did. Schemas are inferred
// from JSON and from forms; of no body, address or field is a value written, only names
// and types. Of security there is what Authorization fields say of their scheme.
//
// # Memory
//
// At most 2000 operations are kept, each of them with at most 100 query parameters, 20
// status codes and 10 media types a message, and schemas of at most 200 properties an
// object and 12 levels; of each message of an operation the first 32 bodies of at most
// 256 KB are looked at. What is beyond is counted, and the description says so.
//
// Concurrency: a [Writer] belongs to one goroutine.
package openapi
