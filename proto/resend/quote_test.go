package resend

import (
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// hostile are strings that were made to leave their quotes, and others of any bytes.
func hostile() []string {
	out := []string{
		"", "-n", "'", `"`, `\`, "`id`", "$(id)", "${HOME}", "%s%n", "!!", "~", "#", "\\'; id #", `\"; id //`, "';id;'", "\x1b]0;x\x07",
		"\u2018id\u2019", "a\nb\n", "\r\n", "\x7f\x80\xff", "*?[a]{b,c}", "\\u0022", "\\x22", "*/", "</script>", "\u2028", "''", "$'\\n'",
	}
	bytes := rapid.SliceOfN(rapid.ByteRange(1, 255), 0, 40)
	text := rapid.StringMatching(`[ -~]{0,40}`)
	for seed := range 150 {
		out = append(out, string(bytes.Example(seed)), text.Example(seed))
	}
	return out
}

// What a quoted string means to the language that it is quoted for is the string.
func TestQuoting(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		line       func(s string) string // prints s in hexadecimal
		begin      string
	}{
		{"sh", "q.sh", func(s string) string {
			return "printf %s " + shellQuote(s) + " | od -An -v -tx1 | tr -d ' \\n'; echo"
		}, ""},
		{"python3", "q.py", func(s string) string {
			return fmt.Sprintf("print(b%s.hex(), %s.encode('latin-1').hex() == b%[1]s.hex())", quoteBytes(s), quoteBytes(s))
		}, ""},
		{"node", "q.mjs", func(s string) string {
			return fmt.Sprintf("console.log(Buffer.from(%s, 'latin1').toString('hex'));", quoteBytes(s))
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(tt.name); err != nil {
				t.Skip(err)
			}
			var program, want strings.Builder
			for _, s := range hostile() {
				if tt.name == "sh" {
					s = strings.TrimRight(s, "\n") // what $() takes off is for the caller to mind
				}
				program.WriteString(tt.line(s) + "\n")
				want.WriteString(hex.EncodeToString([]byte(s)))
				if tt.name == "python3" {
					want.WriteString(" True")
				}
				want.WriteByte('\n')
			}
			file := filepath.Join(t.TempDir(), tt.file)
			if err := os.WriteFile(file, []byte(program.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := exec.CommandContext(t.Context(), tt.name, file).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, got)
			}
			for i, line := range strings.Split(want.String(), "\n") {
				if lines := strings.Split(string(got), "\n"); i >= len(lines) || lines[i] != line {
					t.Fatalf("line %d: got %q, want %q", i, lines[min(i, len(lines)-1)], line)
				}
			}
		})
	}
}

// Quoted for Go a string is what Go's own reader takes it for, in ASCII.
func TestQuotingGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		if got, err := strconv.Unquote(quoteGo(s)); err != nil || got != s || !visible(quoteGo(s)) {
			t.Fatalf("%q is quoted as %s, which is %q, %v", s, quoteGo(s), got, err)
		}
	})
}

// visible reports whether there is nothing but printable ASCII.
func visible(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}

// A string of PowerShell is pieces in single quotes and numbers of characters, and
// nothing stands between them.
func TestQuotingPowerShell(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		quoted := quotePowerShell(s)
		if !visible(quoted) {
			t.Fatalf("%q is quoted as %q", s, quoted)
		}
		var got []byte
		for rest := strings.TrimSuffix(strings.TrimPrefix(quoted, "("), ")"); rest != ""; rest = strings.TrimPrefix(rest, " + ") {
			if number, is := strings.CutPrefix(rest, "[char]"); is {
				n := strings.IndexFunc(number+" ", func(r rune) bool { return r < '0' || r > '9' })
				c, err := strconv.ParseUint(number[:n], 10, 8)
				if err != nil {
					t.Fatalf("%q is quoted as %s: %v", s, quoted, err)
				}
				got, rest = append(got, byte(c)), number[n:]
				continue
			}
			if rest[0] != '\'' {
				t.Fatalf("%q is quoted as %s, where %q is no string", s, quoted, rest)
			}
			for rest = rest[1:]; ; rest = rest[1:] {
				if strings.HasPrefix(rest, "''") {
					rest = rest[1:]
				} else if rest[0] == '\'' {
					break
				}
				got = append(got, rest[0])
			}
			rest = rest[1:]
		}
		if string(got) != s {
			t.Fatalf("%q is quoted as %s, which is %q", s, quoted, got)
		}
	})
}
