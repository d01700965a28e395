package mitmdump

import (
	"fmt"
	"strconv"
	"strings"
)

// newest is the version that is written, and to which older ones are brought.
const newest = 21

// step brings a state one version forward. Reader-wide memory is for the one step
// that joins two flows.
type step struct {
	from string
	do   func(m *migration, s state)
}

// steps is mitmproxy's own history, oldest first. Versions were tuples, of which the
// first two numbers count, before they were plain numbers.
var steps = []step{
	{"0.11", func(*migration, state) {}},
	{"0.12", func(*migration, state) {}},
	{"0.13", spellOut},
	{"0.14", func(*migration, state) {}},
	{"0.15", contentAndReason},
	{"0.16", func(_ *migration, s state) { s.dict("server_conn").put("peer_address", nil) }},
	{"0.17", func(_ *migration, s state) {
		s.dict("server_conn").rename("peer_address", "ip_address")
		s["marked"] = false
	}},
	{"0.18", func(_ *migration, s state) {
		s.dict("request").drop("stickyauth", "stickycookie")
		s.put("mode", "regular")
		s.default_("metadata", state{})
	}},
	{"0.19", func(*migration, state) {}},
	{"1.0", plainAddresses},
	{"2.0", func(*migration, state) {}},
	{"3.0", func(*migration, state) {}},
	{"4", func(*migration, state) {}}, // connections get an id, which we make ourselves
	{"5", eachConn(func(c state) {
		c.rename("ssl_established", "tls_established")
		c.rename("timestamp_ssl_setup", "timestamp_tls_setup")
	})},
	{"6", func(*migration, state) {}},
	{"7", func(_ *migration, s state) {
		s.dict("request").put("trailers", nil)
		s.dict("response").put("trailers", nil)
	}},
	{"8", func(_ *migration, s state) {
		s.put("is_replay", nil)
		for _, half := range []string{"request", "response"} {
			if s.dict(half).bool("is_replay") {
				s["is_replay"] = half
			}
		}
		s.dict("request").drop("first_line_format")
		s.dict("request").default_("authority", []byte{})
	}},
	{"9", func(_ *migration, s state) {
		s.dict("client_conn").listOf("clientcert", "certificate_list")
		s.dict("server_conn").listOf("cert", "certificate_list")
		eachConn(func(c state) {
			c.put("tls", c.bool("tls_established"))
			c.listOf("alpn_proto_negotiated", "alpn_offers")
		})(nil, s)
	}},
	{"10", eachConn(func(c state) { c.rename("alpn_proto_negotiated", "alpn") })},
	{"11", joinWebSocket},
	{"12", func(_ *migration, s state) {
		if s.bool("marked") {
			s["marked"] = ":default:"
		} else {
			s["marked"] = ""
		}
	}},
	{"13", func(_ *migration, s state) {
		s.default_("comment", "")
		q, p := s.dict("request"), s.dict("response")
		if p != nil && p["timestamp_start"] == nil {
			p["timestamp_start"], p["timestamp_end"] = q["timestamp_end"], q["timestamp_end"]
		}
	}},
	{"14", func(*migration, state) {}}, // messages of five parts were not injected
	{"15", func(_ *migration, s state) {
		s["timestamp_created"] = s.dict("client_conn")["timestamp_start"]
		if q := s.dict("request"); q != nil {
			s["timestamp_created"] = q["timestamp_start"]
		}
	}},
	{"16", func(_ *migration, s state) { s.drop("mode") }},
	{"17", func(_ *migration, s state) { s.dict("client_conn").put("proxy_mode", "regular") }},
	{"18", func(_ *migration, s state) {
		s.dict("client_conn").rename("address", "peername")
		c := s.dict("server_conn")
		c.rename("ip_address", "peername")
		c.rename("source_address", "sockname")
		c.rename("via2", "via")
		if c.bool("sni") { // "as the address says"
			if host, _, ok := c.address("address"); ok {
				c["sni"] = string(host)
			}
		}
		eachConn(func(c state) {
			c.rename("cipher_name", "cipher")
			c.default_("transport_protocol", "tcp")
		})(nil, s)
	}},
	{"19", func(*migration, state) {}},
	{"20", eachConn(func(c state) {
		if c.text("tls_version") == "QUIC" {
			c["tls_version"] = "QUICv1"
		}
	})},
}

// The small changes that steps are made of. On a dictionary that is not there they do nothing.

func (s state) put(key string, v any) {
	if s != nil {
		s[key] = v
	}
}

func (s state) default_(key string, v any) {
	if _, ok := s[key]; !ok {
		s.put(key, v)
	}
}

func (s state) drop(keys ...string) {
	for _, key := range keys {
		delete(s, key)
	}
}

// rename gives a value another key, unless something stands there already.
func (s state) rename(from, to string) {
	v, ok := s[from]
	if !ok {
		return
	}
	delete(s, from)
	if s[to] == nil {
		s[to] = v
	}
}

// listOf makes the list of one value, or of none.
func (s state) listOf(from, to string) {
	if s == nil || s[to] != nil {
		return
	}
	s[to] = []any{}
	if v := s[from]; v != nil {
		s[to] = []any{v}
	}
}

func eachConn(do func(state)) func(*migration, state) {
	return func(_ *migration, s state) {
		for _, name := range []string{"client_conn", "server_conn"} {
			if c := s.dict(name); c != nil {
				do(c)
			}
		}
	}
}

// spellOut writes versions as text and statuses by their name.
func spellOut(_ *migration, s state) {
	for _, half := range []string{"request", "response"} {
		h := s.dict(half)
		if h == nil {
			continue
		}
		var parts []string
		for _, n := range h.list("httpversion") {
			parts = append(parts, strconv.FormatInt(asInt(n), 10))
		}
		if len(parts) > 0 {
			h["http_version"] = []byte("HTTP/" + strings.Join(parts, "."))
			delete(h, "httpversion")
		}
		h.rename("form_in", "first_line_format")
		h.rename("code", "status_code")
	}
	s.dict("server_conn").drop("state")
	s.dict("server_conn").put("via", nil)
}

func contentAndReason(_ *migration, s state) {
	for _, half := range []string{"request", "response"} {
		s.dict(half).rename("body", "content")
	}
	s.dict("response").rename("msg", "reason")
	s.dict("request").drop("form_out")
}

// plainAddresses takes addresses out of the dictionaries that they stood in.
func plainAddresses(_ *migration, s state) {
	for _, conn := range []string{"client_conn", "server_conn"} {
		c := s.dict(conn)
		for _, key := range []string{"address", "source_address", "ip_address"} {
			if d, ok := c[key].(state); ok {
				c[key] = d["address"]
			}
		}
	}
}

// joinWebSocket makes one flow of a WebSocket connection and of its handshake, which
// came before as a flow of its own.
func joinWebSocket(m *migration, s state) {
	meta := s.dict("metadata")
	switch {
	case s.text("type") != "websocket":
		if meta.bool("websocket") {
			m.remember(s.text("id"), s)
		}
		s["websocket"] = nil
		return
	case s["websocket"] != nil:
		return
	}
	ws := state{
		"messages": s["messages"], "close_code": s["close_code"], "close_reason": s["close_reason"],
		"closed_by_client": s.text("close_sender") == "client", "timestamp_end": s.dict("server_conn")["timestamp_end"],
	}
	if shake := m.handshakes[meta.text("websocket_handshake")]; shake != nil {
		for key, v := range shake {
			if key != "version" {
				s[key] = v
			}
		}
	} else {
		s["request"] = state{
			"method": []byte("GET"), "scheme": []byte("http"), "host": "unknown", "path": []byte("/"), "http_version": []byte("HTTP/1.1"),
			"headers": []any{}, "timestamp_start": s.dict("client_conn")["timestamp_start"],
		}
	}
	s["type"], s["websocket"] = "http", ws
}

// maxHandshakes bounds the WebSocket handshakes that are remembered for their messages.
const maxHandshakes = 1024

// migration is what has to be remembered between flows.
type migration struct{ handshakes map[string]state }

func (m *migration) remember(id string, s state) {
	if m.handshakes == nil || len(m.handshakes) >= maxHandshakes {
		m.handshakes = map[string]state{}
	}
	m.handshakes[id] = s
}

// migrate brings a state to the newest version.
func (m *migration) migrate(s state) error {
	version, err := versionOf(s)
	if err != nil {
		return err
	}
	begun := version == strconv.Itoa(newest)
	for _, step := range steps {
		if begun = begun || step.from == version; begun && version != strconv.Itoa(newest) {
			step.do(m, s)
		}
	}
	if !begun {
		return fmt.Errorf("flow format version %s: versions 0.11 to %d are read", version, newest)
	}
	return nil
}

// versionOf is "0.17" for a tuple and "7" for a number.
func versionOf(s state) (string, error) {
	switch v := s["version"].(type) {
	case int64:
		return strconv.FormatInt(v, 10), nil
	case []any:
		if len(v) >= 2 {
			return fmt.Sprintf("%d.%d", asInt(v[0]), asInt(v[1])), nil
		}
	}
	return "", fmt.Errorf("no flow of mitmproxy: it names no version")
}
