package coding

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
)

const (
	// declarationWindow is how far into a document browsers look for the
	// charset it declares (HTML, section 13.2.3.2).
	declarationWindow = 1024

	charsetUTF8     = "utf-8"
	charsetUTF16LE  = "utf-16le"
	charsetUTF16BE  = "utf-16be"
	charsetFallback = "windows-1252"
)

// What documents say about themselves. All run on declarationWindow at most.
var (
	metaCharset = regexp.MustCompile(`(?i)<meta\s[^>]*?\bcharset\s*=\s*["']?\s*([a-z0-9_:.+-]{1,40})`)
	xmlCharset  = regexp.MustCompile(`^<\?xml\s[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9_:.+-]{1,40})["']`)
	cssCharset  = regexp.MustCompile(`^@charset "([A-Za-z0-9_:.+-]{1,40})"`)
)

// Text returns p, taken for text, as valid UTF-8, and the name of the charset
// it was in, as the WHATWG Encoding Standard spells it in lower case. The
// charset comes from, in this order: a byte order mark, which is removed;
// the charset parameter of contentType, the value of a Content-Type header;
// the declaration in an XML, CSS or HTML document; UTF-8 if p is valid in it,
// but for a character cut at the end. What is left is read as windows-1252,
// ISO-8859-1's superset, in which every byte is a character. Charsets that are
// unknown, or that the standard refuses to decode, are passed over. Bytes that
// are wrong in the charset become U+FFFD. The result is at most about three
// times as long as p, and may be p itself.
func Text(p []byte, contentType string) (text []byte, charset string) {
	if rest, name := cutByteOrderMark(p); name != "" {
		return decodeCharset(rest, name)
	}
	if name := known(charsetParameter(contentType)); name != "" {
		return decodeCharset(p, name)
	}
	if name := declared(p, contentType); name != "" {
		return decodeCharset(p, name)
	}
	if looksUTF8(p) {
		return decodeCharset(p, charsetUTF8)
	}
	return decodeCharset(p, charsetFallback)
}

func decodeCharset(p []byte, name string) ([]byte, string) {
	if name == charsetUTF8 {
		if utf8.Valid(p) {
			return p, name
		}
		return bytes.ToValidUTF8(p, []byte(string(utf8.RuneError))), name
	}
	if enc, err := htmlindex.Get(name); err == nil {
		if out, err := enc.NewDecoder().Bytes(p); err == nil {
			return out, name
		}
	}
	return bytes.ToValidUTF8(p, []byte(string(utf8.RuneError))), charsetUTF8
}

func cutByteOrderMark(p []byte) (rest []byte, charset string) {
	for _, mark := range []struct{ bytes, charset string }{
		{"\xef\xbb\xbf", charsetUTF8},
		{"\xff\xfe", charsetUTF16LE},
		{"\xfe\xff", charsetUTF16BE},
	} {
		if rest, ok := bytes.CutPrefix(p, []byte(mark.bytes)); ok {
			return rest, mark.charset
		}
	}
	return p, ""
}

// known returns the standard's name for a charset label, or "" if nothing can
// be decoded by it.
func known(label string) string {
	enc, err := htmlindex.Get(label)
	if err != nil || enc == encoding.Replacement {
		return ""
	}
	name, err := htmlindex.Name(enc)
	if err != nil {
		return ""
	}
	return name
}

// charsetParameter finds the charset in a media type. It takes what real
// servers send: quotes of either kind or none, and any disorder elsewhere.
func charsetParameter(contentType string) string {
	for parameter := range strings.SplitSeq(contentType, ";") {
		name, value, ok := strings.Cut(parameter, "=")
		if ok && strings.EqualFold(strings.TrimSpace(name), "charset") {
			return strings.Trim(value, " \t\"'")
		}
	}
	return ""
}

// declared returns the charset that a document names in its own first bytes.
// They could be read, so it is one that contains ASCII: a document that calls
// itself UTF-16 there is in fact UTF-8 (HTML, section 13.2.3.2). XML that
// really is UTF-16 is told by the zeros in its first characters.
func declared(p []byte, contentType string) string {
	head := p[:min(len(p), declarationWindow)]
	switch {
	case bytes.HasPrefix(head, []byte("<\x00?\x00")):
		return charsetUTF16LE
	case bytes.HasPrefix(head, []byte("\x00<\x00?")):
		return charsetUTF16BE
	}
	for _, declaration := range []*regexp.Regexp{xmlCharset, cssCharset, metaCharset} {
		if declaration == metaCharset && !mayBeHTML(contentType) {
			continue
		}
		m := declaration.FindSubmatch(head)
		if m == nil {
			continue
		}
		switch name := known(string(m[1])); name {
		case charsetUTF16LE, charsetUTF16BE:
			return charsetUTF8
		case "":
		default:
			return name
		}
	}
	return ""
}

// mayBeHTML keeps scripts and data that merely contain a meta element from
// being read by its charset.
func mayBeHTML(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.TrimSpace(media)
	return media == "" || strings.Contains(strings.ToLower(media), "html")
}

// looksUTF8 reports whether p is valid UTF-8, but for a character that its end
// cuts in two as the end of a preview does. One odd byte after nothing but
// ASCII is no such cut: it is how "café" ends in the older charsets.
func looksUTF8(p []byte) bool {
	whole := wholeRunes(p)
	if cut := len(p) - len(whole); cut == 1 && utf8.RuneCount(whole) == len(whole) {
		return false
	}
	return utf8.Valid(whole)
}

// wholeRunes returns p without an incomplete character at its end.
func wholeRunes(p []byte) []byte {
	for i := len(p) - 1; i >= 0 && i >= len(p)-utf8.UTFMax; i-- {
		if utf8.RuneStart(p[i]) {
			if !utf8.FullRune(p[i:]) {
				return p[:i]
			}
			break
		}
	}
	return p
}

// Bytes is what a document of this text is made of, given the value of its
// Content-Type header: text in the charset that this names, if it can say all of
// it, else as it is. It undoes [Text] where no byte order mark or declaration
// inside the document came first.
func Bytes(text []byte, contentType string) []byte {
	name := known(charsetParameter(contentType))
	if name == "" || name == charsetUTF8 {
		return text
	}
	enc, err := htmlindex.Get(name)
	if err != nil {
		return text
	}
	out, err := enc.NewEncoder().Bytes(text)
	if err != nil {
		return text
	}
	return out
}
