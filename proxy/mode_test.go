package proxy

import (
	"strings"
	"testing"
)

func TestParseMode(t *testing.T) {
	for _, tt := range []struct{ spec, want, listen string }{
		{"regular", "regular", ""},
		{"Regular@8081", "regular", "127.0.0.1:8081"},
		{"regular@0.0.0.0:1", "regular", "0.0.0.0:1"},
		{"socks5@[::1]:0", "socks5", "[::1]:0"},
		{"reverse:example.com", "reverse:https://example.com:443", ""},
		{"reverse:http://example.com/", "reverse:http://example.com:80", ""},
		{"reverse:HTTPS://[::1]:8443@9000", "reverse:https://[::1]:8443", "127.0.0.1:9000"},
		{"reverse:tcp://h:25@[::]:25", "reverse:tcp://h:25", "[::]:25"},
		{"reverse:tls://h:993", "reverse:tls://h:993", ""},
		{"reverse:udp://h:514", "reverse:udp://h:514", ""},
		{"reverse:dns://192.0.2.53", "reverse:dns://192.0.2.53:53", ""},
		{"dns", "dns", ""},
		{"dns@5300", "dns", "127.0.0.1:5300"},
		{"dns:192.0.2.53@5300", "dns:192.0.2.53:53", "127.0.0.1:5300"},
		{"upstream:proxy", "upstream:http://proxy:80", ""},
		{"upstream:https://proxy:3128", "upstream:https://proxy:3128", ""},
		{"upstream:http://proxy:3128@8081", "upstream:http://proxy:3128", "127.0.0.1:8081"},
		{"upstream:http://proxy:3128@127.0.0.1:8081", "upstream:http://proxy:3128", "127.0.0.1:8081"},
		{"upstream:http://u:secret@proxy:3128", "upstream:http://proxy:3128", ""},
		{"upstream:http://u:s%40cret@proxy:3128@8081", "upstream:http://proxy:3128", "127.0.0.1:8081"},
		{"upstream:u:secret@[::1]", "upstream:http://[::1]:80", ""},
	} {
		m, err := ParseMode(tt.spec, "127.0.0.1")
		if err != nil || m.String() != tt.want || m.Listen != tt.listen {
			t.Errorf("%s: got %s on %q (%v), want %s on %q", tt.spec, m, m.Listen, err, tt.want, tt.listen)
		}
		if got, want := m.login, strings.Contains(tt.spec, "u:s"); got != want || want && (m.user != "u" || !strings.HasPrefix(m.password, "s")) {
			t.Errorf("%s: credentials %q %q", tt.spec, m.user, m.password)
		}
	}
}

func TestParseModeRefuses(t *testing.T) {
	for _, tt := range []struct{ spec, want string }{
		{"carrier-pigeon", "not a mode"},
		{"", "not a mode"},
		{"regular:x", "takes nothing"},
		{"regular@", "a port is a number"},
		{"regular@:70000", "a port is a number"},
		{"reverse", "no host"},
		{"reverse:ftp://h", `scheme "ftp" is none of https, http`},
		{"reverse:tcp://h", "needs a port"},
		{"reverse:http://h/path", "contains '/'"},
		{"upstream:http://u:secret@h:x", "is not a number"},
		{"upstream:http://u:%zz-secret@h", "percent-encoded"},
	} {
		_, err := ParseMode(tt.spec, "127.0.0.1")
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q in it", tt.spec, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

// Every row of the table is a mode that can be written, and is told to people.
func TestModesTable(t *testing.T) {
	for i, m := range Modes() {
		spec := m.Spec
		if name, _, found := strings.Cut(spec, ":"); found {
			spec = name + ":" + modes[i].schemes[0].name + "://h:1"
		}
		got, err := ParseMode(spec, "127.0.0.1")
		if err != nil || got.Kind != modes[i].kind || got.Port() != m.Port || m.Help == "" {
			t.Errorf("%s: got %+v, %v", m.Spec, got, err)
		}
	}
}
