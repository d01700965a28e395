package content

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"

	"weir/tui/widget"
)

const (
	// maxFacts bounds the lines about one image, and maxFact the bytes of one
	// text in it.
	maxFacts = 200
	maxFact  = 400
)

// renderImage shows what an image says about itself: format, size, depth, frames,
// comments, EXIF. No pixel is decoded. An image that is cut shows what its
// beginning tells.
func renderImage(b *Builder, in *Input) error {
	format := sniffImage(in.Data)
	f := facts{b: b, data: in.Data}
	switch format {
	case "PNG":
		return f.decoded(format, png.DecodeConfig, f.png)
	case "GIF":
		return f.decoded(format, gif.DecodeConfig, f.gif)
	case "JPEG":
		return f.decoded(format, jpeg.DecodeConfig, f.jpeg)
	case "WebP":
		return f.decoded(format, webp.DecodeConfig, f.webp)
	case "BMP":
		return f.decoded(format, bmp.DecodeConfig, f.bmp)
	case "ICO":
		f.say("format", format)
		f.ico()
		return nil
	}
	return &SyntaxError{Msg: "expected PNG, GIF, JPEG, WebP, BMP or ICO"}
}

// sniffImage returns the format by its signature, "" for none that is known.
func sniffImage(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return "PNG"
	case bytes.HasPrefix(data, []byte("GIF87a")), bytes.HasPrefix(data, []byte("GIF89a")):
		return "GIF"
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return "JPEG"
	case len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		return "WebP"
	case len(data) >= 26 && string(data[:2]) == "BM" && binary.LittleEndian.Uint32(data[14:]) <= 124:
		return "BMP"
	case len(data) >= 22 && (string(data[:4]) == "\x00\x00\x01\x00" || string(data[:4]) == "\x00\x00\x02\x00") && data[4] > 0 && data[9] == 0:
		return "ICO"
	}
	return ""
}

// facts prints what is found in the data, one line each.
type facts struct {
	b    *Builder
	data []byte
	n    int
}

func (f *facts) say(name, value string) {
	if f.n++; f.n > maxFacts {
		return
	}
	f.b.Put(Key, []byte(name))
	f.b.Say(Plain, widget.Space(max(1, 16-len(name))))
	f.b.Put(String, []byte(value)[:min(len(value), maxFact)])
	f.b.Newline()
}

// text is say for captured text, up to its first NUL.
func (f *facts) text(name string, value []byte) {
	value, _, _ = bytes.Cut(value, []byte{0})
	if value = bytes.TrimSpace(value); len(value) > 0 {
		f.say(name, string(value))
	}
}

// decoded prints the size and colours by the format's decoder, then its details.
func (f *facts) decoded(format string, config func(io.Reader) (image.Config, error), details func()) error {
	c, err := guarded(config, f.data)
	if err != nil && len(f.data) < 32 {
		return &SyntaxError{Msg: err.Error()}
	}
	f.say("format", format)
	if err == nil {
		f.say("size", fmt.Sprintf("%d × %d", c.Width, c.Height))
		f.say("colours", colours(c.ColorModel))
	} else {
		f.b.Put(Fault, []byte("header: "+err.Error()))
		f.b.Newline()
	}
	details()
	return nil
}

// guarded runs a decoder that others wrote on data that others made.
func guarded(config func(io.Reader) (image.Config, error), data []byte) (c image.Config, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("decoder gave up: %v", r)
		}
	}()
	return config(bytes.NewReader(data))
}

func colours(model color.Model) string {
	if p, ok := model.(color.Palette); ok {
		return fmt.Sprintf("palette of %d", len(p))
	}
	switch model {
	case color.RGBAModel, color.RGBA64Model:
		return "RGB"
	case color.NRGBAModel, color.NRGBA64Model:
		return "RGB with alpha"
	case color.GrayModel, color.Gray16Model:
		return "grey"
	case color.YCbCrModel:
		return "YCbCr"
	case color.NYCbCrAModel:
		return "YCbCr with alpha"
	case color.CMYKModel:
		return "CMYK"
	}
	return "unknown"
}

// ico prints the directory of an ICO or CUR file.
func (f *facts) ico() {
	n := int(binary.LittleEndian.Uint16(f.data[4:]))
	f.say("images", fmt.Sprint(n))
	for i := 0; i < n && 6+16*(i+1) <= len(f.data) && f.n < maxFacts; i++ {
		e := f.data[6+16*i:]
		kind := "BMP"
		at := int64(binary.LittleEndian.Uint32(e[12:]))
		if at < int64(len(f.data)) && sniffImage(f.data[at:]) == "PNG" {
			kind = "PNG"
		}
		f.say(fmt.Sprintf("image %d", i+1), fmt.Sprintf("%d × %d, %d bit, %s, %s bytes", side(e[0]), side(e[1]),
			binary.LittleEndian.Uint16(e[6:]), kind, widget.Size(int64(binary.LittleEndian.Uint32(e[8:])))))
	}
}

// side is a width or height of an ICO entry, where 0 means 256.
func side(v byte) int {
	if v == 0 {
		return 256
	}
	return int(v)
}

func (f *facts) bmp() {
	if len(f.data) < 34 {
		return
	}
	f.say("depth", fmt.Sprintf("%d bit", binary.LittleEndian.Uint16(f.data[28:])))
	if c := binary.LittleEndian.Uint32(f.data[30:]); c != 0 {
		f.say("compression", fmt.Sprint(c))
	}
}

// gif walks the blocks (GIF89a, section 17 on) to count frames and find comments.
func (f *facts) gif() {
	p := f.data
	if len(p) < 13 {
		return
	}
	f.say("version", string(p[3:6]))
	at, frames := 13, 0
	if p[10]&0x80 != 0 {
		at += 3 << (p[10]&7 + 1)
	}
	for at < len(p) {
		switch p[at] {
		case 0x21:
			at = f.gifExtension(at)
		case 0x2c:
			frames++
			if at+10 > len(p) {
				at = len(p)
				break
			}
			flags := p[at+9]
			at += 11
			if flags&0x80 != 0 {
				at += 3 << (flags&7 + 1)
			}
			at, _ = subBlocks(p, at)
		default:
			f.frames(frames, false)
			return
		}
	}
	f.frames(frames, true)
}

func (f *facts) frames(n int, cut bool) {
	switch {
	case cut:
		f.say("frames", fmt.Sprintf("%d so far", n))
	case n > 0:
		f.say("frames", fmt.Sprint(n))
	}
}

func (f *facts) gifExtension(at int) int {
	if at+2 > len(f.data) {
		return len(f.data)
	}
	label := f.data[at+1]
	end, first := subBlocks(f.data, at+2)
	switch {
	case label == 0xfe:
		f.text("comment", first)
	case label == 0xff && strings.HasPrefix(string(first), "NETSCAPE2.0"):
		if loop := at + 3 + len(first); loop+4 <= len(f.data) {
			f.say("loops", loops(binary.LittleEndian.Uint16(f.data[loop+2:])))
		}
	}
	return end
}

func loops(n uint16) string {
	if n == 0 {
		return "forever"
	}
	return fmt.Sprint(n)
}

// subBlocks passes a run of data sub-blocks: where it ends, and the first of them.
func subBlocks(p []byte, at int) (end int, first []byte) {
	for at < len(p) {
		n := int(p[at])
		at++
		if n == 0 {
			return at, first
		}
		if first == nil && at < len(p) {
			first = p[at:min(len(p), at+n)]
		}
		at += n
	}
	return len(p), first
}
