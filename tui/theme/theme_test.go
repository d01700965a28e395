package theme

import (
	"reflect"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

func TestNames(t *testing.T) {
	if got := Names()[0]; got != "auto" {
		t.Errorf("first name: got %q, want auto", got)
	}
	for _, name := range Names() {
		if _, err := New(Options{Name: name}); err != nil {
			t.Errorf("New(%q): %v", name, err)
		}
	}
	_, err := New(Options{Name: "plaid"})
	if err == nil || !strings.Contains(err.Error(), `"plaid"`) || !strings.Contains(err.Error(), "colorblind") {
		t.Errorf("New of an unknown name: got %v, want an error with the name and the choice", err)
	}
}

// TestAutoFollowsTheTerminal holds "auto" and "colorblind" to differ on light and
// dark backgrounds, and the others to be what they are named.
func TestAutoFollowsTheTerminal(t *testing.T) {
	for _, name := range Names() {
		dark, _ := New(Options{Name: name})
		light, _ := New(Options{Name: name, Light: true})
		differ := dark.Text.Render("x") != light.Text.Render("x")
		if want := name == "auto" || name == "colorblind"; differ != want {
			t.Errorf("%s: differs on a light background: got %v, want %v", name, differ, want)
		}
	}
}

// TestNoColor holds the themes without colours to have none, and still to tell
// apart what must be told apart.
func TestNoColor(t *testing.T) {
	for _, o := range []Options{{NoColor: true}, {Name: "light", NoColor: true}, {Name: "mono"}} {
		theme, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		for name, style := range styles(theme) {
			for _, color := range []string{"38;", "48;", ";3", "[3"} {
				got := style.Render("x")
				if strings.Contains(got, color) && !strings.Contains(got, "[3m") {
					t.Errorf("%+v: %s has a colour: %q", o, name, got)
				}
			}
		}
		if got := theme.Wrong.Render("x"); got == theme.Input.Render("x") {
			t.Errorf("%+v: what is wrong in an input looks like the rest: %q", o, got)
		}
	}
}

// TestSixteen holds the theme for sixteen colours to the terminal's own.
func TestSixteen(t *testing.T) {
	theme, err := New(Options{Name: "16"})
	if err != nil {
		t.Fatal(err)
	}
	for name, style := range styles(theme) {
		if got := style.Render("x"); strings.Contains(got, "38;") {
			t.Errorf("%s: got %q, want one of sixteen colours", name, got)
		}
	}
}

func styles(t *Theme) map[string]lipgloss.Style {
	out := make(map[string]lipgloss.Style)
	v := reflect.ValueOf(*t)
	for i := range v.NumField() {
		if field := v.Type().Field(i); field.IsExported() && field.Type == reflect.TypeFor[lipgloss.Style]() {
			out[field.Name] = v.Field(i).Interface().(lipgloss.Style)
		}
	}
	for _, method := range []string{"GET", "POST", "BREW"} {
		out[method] = t.Method(method)
	}
	for _, code := range []uint32{0, 101, 204, 301, 404, 503, 999} {
		out[string(rune('0'+code/100))] = t.Status(code)
	}
	return out
}

// TestGlyphs holds every glyph of both sets to one cell, and the ASCII ones to
// ASCII.
func TestGlyphs(t *testing.T) {
	for _, set := range []Glyphs{unicodeGlyphs, asciiGlyphs} {
		v := reflect.ValueOf(set)
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			glyphs := []string{v.Field(i).String()}
			if name == "Corner" {
				glyphs = set.Corner[:]
			}
			for _, g := range glyphs {
				if ansi.StringWidth(g) != 1 || ansi.StringWidthWc(g) != 1 {
					t.Errorf("%s: %q is not one cell wide", name, g)
				}
				if set == asciiGlyphs && (len(g) != 1 || g[0] >= 0x7f) {
					t.Errorf("%s: %q is not ASCII", name, g)
				}
			}
		}
	}
}
