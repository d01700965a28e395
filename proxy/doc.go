// Package proxy takes connections from clients, carries what they ask for to
// the servers they ask for, and tells a [Sink] everything that passed. It is
// the place where bytes become flows; it stores nothing, shows nothing and
// changes nothing.
//
// # The life of a connection
//
//	accept ─► the server's mode
//	   ├─ regular, upstream ─► first bytes
//	   │        ├─ TLS ─► TLS with the proxy itself, then as without
//	   │        ├─ the preface of HTTP/2 ─► streams, each as a connection here
//	   │        ├─ anything else but HTTP ────────────► 400, flow with an error
//	   │        ├─ GET http://host/ … ─► exchange ◄─┐
//	   │        │                           └───────┘ keep-alive
//	   │        └─ CONNECT host:port ─► 200 ─► a tunnel
//	   ├─ socks5 ─► its request ─► the server is dialled ─► a tunnel
//	   │        └─ UDP ASSOCIATE ─► datagrams, as long as the connection lasts
//	   ├─ transparent ─► where it was going ─► a tunnel, or datagrams
//	   └─ reverse, dns ─► a tunnel to the one server, or datagrams
//
//	a tunnel ─► who speaks first?
//	                  ├─ the server ───────────────────────────────► raw stream (tcp flow)
//	                  ├─ the client, a request line ─► exchange ◄─┐
//	                  │                                  └────────┘
//	                  ├─ the client, the preface of HTTP/2 ─► relay, or streams
//	                  ├─ the client, anything else ────────────────► raw stream
//	                  └─ the client, ClientHello
//	                        │  dial the server, TLS with the client's SNI and ALPN offers,
//	                        │  verify, make a leaf with the names of its certificate
//	                        ├─ the client refuses the leaf ────────► TLS failure (flow)
//	                        └─ TLS with the client ─► relay where h2 was negotiated, else as
//	                           in a plain tunnel; if the server could not be reached every
//	                           request gets a 502 page
//
//	exchange:   client ──request──►  h1 ──record──► Sink ──then──► server
//	            client ◄──then──── Sink ◄─record── h1 ◄─response── server
//	              ├─ done ─► the next request, or close
//	              ├─ 101 to WebSocket ─► bytes both ways, WebSocket's messages recorded
//	              ├─ 101 to anything else, or 2xx to CONNECT ─► bytes both ways, each read a message
//	              └─ failed ─► flow with an error; a page if the client saw nothing yet
//
//	a datagram ─► its client and server are a pair, until both fall silent
//	                  ├─ to port 53, or where DNS is served ─► a dns flow a question (853 inside TLS)
//	                  └─ anything else ──────────────────────► a udp flow, each datagram a message
//
//	streams:    client ──frames──►  h2 ─ translate ─► exchange ──► server of HTTP/1
//
//	relay:      client ──frames──►  h2 ──record──► Sink ──then──► server, each stream a flow
//	            client ◄──then──── Sink ◄─record── h2 ◄──frames── server
//
// # What holds
//
//   - Bytes are passed on as they were read, before the next read, and recorded
//     before they are passed on: what a client received, the sink has been given.
//     A sink that blocks slows the connection down; one that fails ends it. What
//     cannot be recorded is not passed on.
//   - Heads go out byte for byte. Only requests in absolute form, which are
//     addressed to a proxy, are rewritten, see [weir/proxy/h1.ToOrigin], and the
//     offer to go on in HTTP/2 without TLS (Upgrade: h2c) is left out, as RFC 9113
//     withdrew it.
//   - A flow is recorded when its request head is read, when its response head
//     is about to be passed on, and when it is over. Interim responses (1xx) are
//     passed on and kept in the flow.
//   - Memory is two buffers of 32 KB and the two heads a connection, whatever
//     the size of the bodies. WebSocket adds, for each direction, what there is of a
//     message, up to 1 MB, and 40 KB once it is compressed.
//   - A WebSocket message is recorded before its last byte is passed on, in parts of
//     1 MB where it is longer; of one that does not end, what came is recorded with the end.
//   - A server connection belongs to one client connection, which keeps up to
//     four of them for its next requests. An idempotent request without a body is
//     sent again, once and on a fresh connection, when a kept one turned out to
//     be closed before anything of a response came.
//   - Requests that would reach our own listener are refused.
//   - An answer may come before the request is whole. The request then goes on
//     as long as the server keeps its connection open, and is cut where it does not.
//   - Where that answer ends a wait for 100 Continue, and no byte of the body is
//     here, the client's connection ends with it: the client may send the body or
//     leave it out, so that what it sends next cannot be told apart.
//   - A client that closes its sending half after its request still gets its
//     answer. One that closed both halves looks the same until something is sent to
//     it; so its server is kept waiting for, and the flow fails with CLIENT_GONE
//     when the answer cannot be passed on. One that resets is noticed at once.
//
// # HTTP/2
//
// A client is offered what its server chose by ALPN. Without ALPN its preface is
// believed, and its server is sent the same: one that refuses it knows HTTP/1
// alone. Where both speak HTTP/2 the two connections are relayed frame by frame: a
// stream has the same number on both, and settings, windows, pings, priorities,
// resets, GOAWAY and frames of extensions are passed on and not answered, so that
// flow control holds from end to end and nothing is buffered beyond one read.
// Header blocks are decoded, recorded and encoded again with tables of our own,
// in the same order, never-indexed fields as such. What differs:
//
//   - SETTINGS_HEADER_TABLE_SIZE is left out both ways, as the tables are ours;
//     push is switched off; MAX_CONCURRENT_STREAMS is at most what [Options].HTTP2 allows.
//   - Padding is left out, and its share of the windows given back to the sender.
//     DATA may be cut differently.
//   - Frames that were under way on a stream that the other end reset are dropped.
//   - Messages that RFC 9113 §8 calls malformed are not passed on: the stream is
//     reset on both sides, with a flow that says why. A frame that breaks the
//     connection's rules ends both connections with GOAWAY.
//   - Where the server is lost, requests that were not answered yet get a page.
//   - A stream on which nothing moves for Timeouts.Silence is ended, and no other.
//   - When the server stops or its mode goes, clients are sent GOAWAY. What is under
//     way has Timeouts.Drain to end; a request that comes after it is refused, with a flow.
//
// # Two versions in one exchange
//
// Where a client insists on HTTP/2 and its server knows HTTP/1 alone, or the other
// way round, the HTTP/2 of the one is seen as HTTP/1 (package translate), and
// everything between the two is an exchange as above. The flow keeps what each
// side said in its own version.
//
//   - Towards the client each stream is a connection that carries one request. It
//     has a goroutine of its own, and the streams of a connection share up to 32
//     connections to servers; more requests wait for one, with their bodies.
//   - A client that speaks HTTP/2 to a regular proxy names the server in :scheme and
//     :authority, and may open tunnels by CONNECT, each of which is a
//     connection of its own in the session.
//   - Towards the server one stream follows the other on a connection.
//   - Windows are given back as the exchange takes the bytes, at most 1 MiB for a
//     connection and 256 KiB for a stream, and it waits for those of the peer: flow control
//     goes from end to end, and a message cut in one version is a reset, or a
//     connection that breaks, in the other.
//   - WebSocket is opened as the other version opens it, and its frames pass as they are. A client
//     of HTTP/2 is offered extended CONNECT for that (RFC 8441); a server of HTTP/2 that does
//     not offer it is sent the request without the Upgrade.
//   - A tunnel or WebSocket that breaks off on one side is reset on the other.
//   - A server of HTTP/2 alone is known by its refusal of the ALPN of HTTP/1.1, or
//     by reverse:h2c://.
//
// # Goroutines
//
// [Server.Serve] accepts, and waits for one goroutine a client connection. That
// one owns the client's read side, the server connections and the flow in
// progress. During an exchange whose request is still arriving, or whose server
// is silent, it lends the client's read side to a second goroutine (the pump)
// and takes it back before it goes on; in a raw stream the second one copies the
// other direction, and in a relay it reads the server. Where HTTP/2 is translated
// one goroutine reads the connection, and each stream of a client is one. Ending the context closes every socket, which ends every
// wait; the open flows are recorded as stopped.
//
// All are started by contain.Go: a mistake of ours that panics ends the connection
// that it is about, with a flow that says so, and no other. Nothing is therefore
// locked without defer where a parser or the sink is called.
//
// Raw streams and exchanges have no overall time limit, only [Timeouts]. What is silent
// and alive is left alone; whether the other end is still there is asked by TCP
// (see probes), whose answer may be the error of a flow.
package proxy
