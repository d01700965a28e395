// Package theme turns the interface's tokens into styles and glyphs.
//
// A token says what a piece of text is (a method, an error, the focus), never
// how it looks; screens use tokens only, so that a theme is one row of a table
// and a screen never names a colour. Colour is never the only sign of anything:
// every token that matters also has a glyph, a word or an attribute, and the
// theme "mono" has to be usable.
//
// The package knows nothing of flows and reads no environment: what the terminal
// can do, and whether it is dark, comes in through [Options].
//
// Concurrency: a Theme is built once and then only read; it may be shared.
//
// Invariants: every token has a style in every theme, and every glyph is one
// cell wide, in both glyph sets.
package theme

import (
	"fmt"
	"strings"

	"charm.land/lipgloss/v2"
)

// Options chooses a theme. The zero value is the dark one with Unicode glyphs.
type Options struct {
	Name    string // one of Names; "" is "auto"
	Light   bool   // the terminal's background is light; "auto" and "colorblind" follow it
	NoColor bool   // attributes only, whatever Name says
	ASCII   bool   // glyphs from ASCII only
}

// Theme is the styles of all tokens. Styles never set margins, padding or width.
type Theme struct {
	Glyphs Glyphs

	Text   lipgloss.Style // ordinary text
	Dim    lipgloss.Style // labels, hints, what matters less
	Rule   lipgloss.Style // borders and column rules
	Title  lipgloss.Style // names of screens, boxes and sections
	Key    lipgloss.Style // keys in hints
	Cell   lipgloss.Style // the header of the column that cell commands act on
	Focus  lipgloss.Style // the gutter mark
	Select lipgloss.Style // the gutter mark of a range
	Mark   lipgloss.Style // the user's mark, tags and comments
	Match  lipgloss.Style // what a search found
	Escape lipgloss.Style // visible escapes of hostile bytes
	Input  lipgloss.Style // text being typed
	Wrong  lipgloss.Style // the part of it that is wrong; always underlined

	Good  lipgloss.Style
	Info  lipgloss.Style
	Warn  lipgloss.Style
	Error lipgloss.Style

	Live     lipgloss.Style // the modes of the top bar
	Offline  lipgloss.Style
	ReadOnly lipgloss.Style

	TabOn  lipgloss.Style // the tab, menu row or pane that is chosen
	TabOff lipgloss.Style

	Host  lipgloss.Style
	Path  lipgloss.Style
	Field lipgloss.Style // names of header fields, form fields, JSON keys

	String  lipgloss.Style // content: JSON, XML, code
	Number  lipgloss.Style
	Keyword lipgloss.Style
	Punct   lipgloss.Style
	Comment lipgloss.Style

	safe, write lipgloss.Style // methods
}

// Names returns the themes there are, the default first.
func Names() []string {
	names := []string{"auto"}
	for _, p := range palettes {
		if p.name != "" {
			names = append(names, p.name)
		}
	}
	return append(names, "mono")
}

// New builds a theme. It fails on a name that is none of Names.
func New(o Options) (*Theme, error) {
	t := &Theme{Glyphs: unicodeGlyphs}
	if o.ASCII {
		t.Glyphs = asciiGlyphs
	}
	if o.NoColor || o.Name == "mono" {
		t.attributes(palette{})
		return t, nil
	}
	p, ok := choose(o)
	if !ok {
		return nil, fmt.Errorf("theme %q: not one of %s", o.Name, strings.Join(Names(), ", "))
	}
	t.attributes(p)
	return t, nil
}

// choose returns the palette an option means.
func choose(o Options) (palette, bool) {
	name := o.Name
	if name == "" || name == "auto" {
		name = "dark"
		if o.Light {
			name = "light"
		}
	}
	for _, p := range palettes {
		if p.name == name {
			if o.Light && p.light != nil {
				return *p.light, true
			}
			return p, true
		}
	}
	return palette{}, false
}

// attributes fills in every token from a palette. An empty colour leaves the
// terminal's own, so that the empty palette is the theme without colours.
func (t *Theme) attributes(p palette) {
	t.Text = ink(p.text)
	t.Dim = ink(p.dim)
	t.Rule = ink(p.rule)
	t.Title = ink(p.accent).Bold(true)
	t.Key = ink(p.accent).Bold(true)
	t.Cell = ink(p.text).Bold(true).Underline(true)
	t.Focus = ink(p.accent).Bold(true)
	t.Select = ink(p.mark).Bold(true)
	t.Mark = ink(p.mark)
	t.Match = ink(p.mark).Reverse(true)
	t.Escape = ink(p.warn)
	t.Input = ink(p.text)
	t.Wrong = ink(p.bad).Underline(true).Bold(true)

	t.Good, t.Info, t.Warn = ink(p.good), ink(p.info), ink(p.warn)
	t.Error = ink(p.bad).Bold(true)
	t.Live = ink(p.good).Bold(true)
	t.Offline = ink(p.info).Bold(true)
	t.ReadOnly = ink(p.warn).Bold(true)
	t.TabOn = ink(p.accent).Bold(true).Reverse(true)
	t.TabOff = ink(p.dim)

	t.Host, t.Path = ink(p.host), ink(p.text)
	t.Field = ink(p.info)
	t.String, t.Number, t.Keyword = ink(p.good), ink(p.mark), ink(p.write)
	t.Punct, t.Comment = ink(p.dim), ink(p.dim).Italic(true)
	t.safe, t.write = ink(p.safe), ink(p.write).Bold(true)
}

func ink(color string) lipgloss.Style {
	if color == "" {
		return lipgloss.NewStyle()
	}
	return lipgloss.NewStyle().Foreground(lipgloss.Color(color))
}

// Method is the style of a request method: those that change something on the
// server (RFC 9110 section 9.2.1) stand out.
func (t *Theme) Method(method string) lipgloss.Style {
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE":
		return t.safe
	case "POST", "PUT", "PATCH", "DELETE":
		return t.write
	default:
		return t.Text
	}
}

// Status is the style of a status code, by its class (RFC 9110 section 15).
func (t *Theme) Status(code uint32) lipgloss.Style {
	switch code / 100 {
	case 1, 3:
		return t.Info
	case 2:
		return t.Good
	case 4:
		return t.Warn
	case 5:
		return t.Error
	default:
		return t.Dim
	}
}
