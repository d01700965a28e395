package coding

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	pad := strings.Repeat(" ", declarationWindow)
	tests := []struct {
		name, body, contentType string
		want, charset           string
	}{
		{"empty", "", "", "", "utf-8"},
		{"ASCII", "abc", "text/plain", "abc", "utf-8"},
		{"UTF-8", "grün", "text/plain", "grün", "utf-8"},
		{"UTF-8 cut in a character", "grün\xc3", "text/plain", "grün\ufffd", "utf-8"},
		{"ASCII cut in a character", "gr\xe2\x82", "text/plain", "gr\ufffd", "utf-8"},
		{"Latin-1 with an accent at the end", "caf\xe9", "text/plain", "café", "windows-1252"},
		{"not UTF-8", "gr\xfcn \x80", "text/plain", "grün €", "windows-1252"},
		{"declared in the header", "gr\xfcn", "text/plain; charset=ISO-8859-1", "grün", "windows-1252"},
		{"quotes and case", "\xe0", `text/html; boundary=x; Charset="KOI8-R"`, "Ю", "koi8-r"},
		{"single quotes", "\xe0", "text/html;charset='koi8-r'", "Ю", "koi8-r"},
		{"header says UTF-8, bytes do not", "gr\xfcn", "text/html; charset=utf-8", "gr\ufffdn", "utf-8"},
		{"Shift JIS", "\x82\xa0", "text/plain; charset=Shift_JIS", "あ", "shift_jis"},
		{"GBK", "\xc4\xe3", "text/plain; charset=gb2312", "你", "gbk"},
		{"UTF-16 by header", "a\x00b\x00", "text/plain; charset=utf-16", "ab", "utf-16le"},
		{"unknown charset", "gr\xfcn", "text/plain; charset=klingon", "grün", "windows-1252"},
		{"refused charset", "abc", "text/plain; charset=iso-2022-kr", "abc", "utf-8"},
		{"UTF-8 mark", "\xef\xbb\xbfabc", "text/plain", "abc", "utf-8"},
		{"UTF-8 mark beats the header", "\xef\xbb\xbfgrün", "text/plain; charset=latin1", "grün", "utf-8"},
		{"UTF-16LE mark", "\xff\xfea\x00\xfc\x00", "", "aü", "utf-16le"},
		{"UTF-16BE mark", "\xfe\xff\x00a\x00\xfc", "", "aü", "utf-16be"},
		{"UTF-16 with half a character", "\xfe\xff\x00a\x00", "", "a\ufffd", "utf-16be"},
		{"meta", "<html><META charset='koi8-r'>\xe0", "text/html", "<html><META charset='koi8-r'>Ю", "koi8-r"},
		{"meta http-equiv", "<meta http-equiv=Content-Type content=\"text/html; charset=koi8-r\">\xe0", "text/html", "<meta http-equiv=Content-Type content=\"text/html; charset=koi8-r\">Ю", "koi8-r"},
		{"meta of unknown type", "<meta charset=koi8-r>\xe0", "", "<meta charset=koi8-r>Ю", "koi8-r"},
		{"meta in a script", "'<meta charset=koi8-r>\xe0'", "text/javascript", "'<meta charset=koi8-r>à'", "windows-1252"},
		{"meta too far in", pad + "<meta charset=koi8-r>\xe0", "text/html", pad + "<meta charset=koi8-r>à", "windows-1252"},
		{"meta says UTF-16", "<meta charset=utf-16>grün", "text/html", "<meta charset=utf-16>grün", "utf-8"},
		{"meta says nonsense", "<meta charset=klingon>gr\xfcn", "text/html", "<meta charset=klingon>grün", "windows-1252"},
		{"header beats meta", "<meta charset=koi8-r>\xfc", "text/html; charset=latin1", "<meta charset=koi8-r>ü", "windows-1252"},
		{"XML", `<?xml version="1.0" encoding="koi8-r"?>` + "\xe0", "application/xml", `<?xml version="1.0" encoding="koi8-r"?>` + "Ю", "koi8-r"},
		{"XML in UTF-16 without mark", "<\x00?\x00x\x00", "text/xml", "<?x", "utf-16le"},
		{"the same, big-endian", "\x00<\x00?\x00x", "text/xml", "<?x", "utf-16be"},
		{"CSS", "@charset \"koi8-r\"; \xe0", "text/css", "@charset \"koi8-r\"; Ю", "koi8-r"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text, charset := Text([]byte(tt.body), tt.contentType)
			if string(text) != tt.want || charset != tt.charset {
				t.Errorf("got %q in %q, want %q in %q", text, charset, tt.want, tt.charset)
			}
		})
	}
}

// Valid UTF-8 is not copied: bodies are large.
func TestTextSharesInput(t *testing.T) {
	p := prose(1 << 16)
	text, _ := Text(p, "text/plain")
	if &text[0] != &p[0] {
		t.Error("UTF-8 was copied")
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte("gr\xfcn"), "text/plain; charset=latin1")
	f.Add([]byte("\xff\xfea\x00"), "")
	f.Add([]byte("<meta charset=iso-2022-jp>\x1b$B"), "text/html")
	f.Add([]byte("\x84\x31\x95\x33"), "text/plain; charset=gb18030")
	f.Fuzz(func(t *testing.T, p []byte, contentType string) {
		input := bytes.Clone(p)
		text, charset := Text(p, contentType)
		if !utf8.Valid(text) {
			t.Errorf("%q as %s gives invalid UTF-8", p, charset)
		}
		if charset == "" || len(text) > 4*len(p)+utf8.UTFMax {
			t.Errorf("got %d bytes in %q from %d", len(text), charset, len(p))
		}
		if !bytes.Equal(p, input) {
			t.Error("the input was changed")
		}
	})
}
