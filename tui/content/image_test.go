package content

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/image/bmp"
)

func TestImages(t *testing.T) {
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"png", pngImage(t), `= image
format          PNG
size            3 × 2
colours         RGB with alpha
depth           8 bit a channel
Comment         hello \x1b[2J
frames          12
loops           forever
density         72 dpi
make            weir
orientation     6
exposure        1/125
`},
		{"png cut", pngImage(t)[:40], `= image
format          PNG
size            3 × 2
colours         RGB with alpha
depth           8 bit a channel
`},
		{"gif", gifImage(t), `= image
format          GIF
size            4 × 4
colours         palette of 2
version         89a
loops           3
frames          2
`},
		{"gif cut", gifImage(t)[:60], `= image
format          GIF
size            4 × 4
colours         palette of 2
version         89a
loops           3
frames          1 so far
`},
		{"jpeg", jpegImage(t), `= image
format          JPEG
size            8 × 5
colours         YCbCr
make            weir
orientation     6
exposure        1/125
comment         shot \x07
depth           8 bit, 3 channels
`},
		{"bmp", bmpImage(t), `= image
format          BMP
size            2 × 2
colours         RGB
depth           24 bit
`},
		{"ico", icoImage(), `= image
format          ICO
images          2
image 1         16 × 16, 32 bit, BMP, 1.0k bytes
image 2         256 × 256, 32 bit, PNG, 12 bytes
`},
		{"webp", webpImage(), `= image
format          WebP
size            1 × 1
colours         RGB with alpha
loops           2
coding          lossless
frames          1
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := show(Render(t.Context(), Auto, Input{Data: tt.data, Type: "image/x", More: true}))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
		})
	}
}

// picture has few colours, some of them transparent.
func picture(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	m.Set(1, 1, color.NRGBA{R: 200, A: 100})
	return m
}

func pngImage(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, picture(3, 2)); err != nil {
		t.Fatal(err)
	}
	const header = 8 + 12 + 13 // signature and IHDR
	out := bytes.Clone(b.Bytes()[:header])
	out = append(out, chunk("tEXt", []byte("Comment\x00hello \x1b[2J"))...)
	out = append(out, chunk("acTL", []byte{0, 0, 0, 12, 0, 0, 0, 0})...)
	out = append(out, chunk("pHYs", []byte{0, 0, 0x0b, 0x13, 0, 0, 0x0b, 0x13, 1})...)
	out = append(out, chunk("eXIf", exifData())...)
	return append(out, b.Bytes()[header:]...)
}

func chunk(kind string, body []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	out = append(append(out, kind...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// exifData is a directory with a make and an orientation, and one below it with
// an exposure.
func exifData() []byte {
	out := []byte("II*\x00\x08\x00\x00\x00")
	out = binary.LittleEndian.AppendUint16(out, 3)
	entry := func(tag, kind uint16, count, value uint32) {
		out = binary.LittleEndian.AppendUint16(out, tag)
		out = binary.LittleEndian.AppendUint16(out, kind)
		out = binary.LittleEndian.AppendUint32(out, count)
		out = binary.LittleEndian.AppendUint32(out, value)
	}
	const behind = 8 + 2 + 3*12 + 4
	entry(0x010f, 2, 5, behind)
	entry(0x0112, 3, 1, 6)
	entry(0x8769, 4, 1, behind+6)
	out = append(out, 0, 0, 0, 0)
	out = append(out, "weir\x00\x00"...)
	out = binary.LittleEndian.AppendUint16(out, 1)
	entry(0x829a, 5, 1, behind+6+2+12+4)
	out = append(out, 0, 0, 0, 0)
	return append(out, 1, 0, 0, 0, 125, 0, 0, 0)
}

func gifImage(t testing.TB) []byte {
	t.Helper()
	frame := image.NewPaletted(image.Rect(0, 0, 4, 4), color.Palette{color.Black, color.White})
	var b bytes.Buffer
	all := &gif.GIF{Image: []*image.Paletted{frame, frame}, Delay: []int{10, 10}, LoopCount: 3, Config: image.Config{ColorModel: frame.Palette, Width: 4, Height: 4}}
	if err := gif.EncodeAll(&b, all); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegImage(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(8, 5), nil); err != nil {
		t.Fatal(err)
	}
	segment := func(kind byte, body string) []byte {
		return append(binary.BigEndian.AppendUint16([]byte{0xff, kind}, uint16(len(body)+2)), body...)
	}
	out := append([]byte{0xff, 0xd8}, segment(0xe1, "Exif\x00\x00"+string(exifData()))...)
	out = append(out, segment(0xfe, "shot \x07")...)
	return append(out, b.Bytes()[2:]...)
}

func bmpImage(t testing.TB) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 2, 2))
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = 255
	}
	var b bytes.Buffer
	if err := bmp.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func icoImage() []byte {
	out := []byte{0, 0, 1, 0, 2, 0}
	out = append(out, 16, 16, 0, 0, 1, 0, 32, 0, 0, 4, 0, 0, 0xff, 0, 0, 0)
	out = append(out, 0, 0, 0, 0, 1, 0, 32, 0, 12, 0, 0, 0, 38, 0, 0, 0)
	return append(out, "\x89PNG\r\n\x1a\n...."...)
}

func webpImage() []byte {
	body := append([]byte("WEBP"), riff("ANIM", []byte{0, 0, 0, 0, 2, 0})...)
	body = append(body, riff("ANMF", make([]byte, 16))...)
	body = append(body, riff("VP8L", []byte{0x2f, 0, 0, 0, 0})...)
	return riff("RIFF", body)
}

func riff(kind string, body []byte) []byte {
	out := append([]byte(kind), binary.LittleEndian.AppendUint32(nil, uint32(len(body)))...)
	out = append(out, body...)
	if len(body)%2 == 1 {
		out = append(out, 0)
	}
	return out
}
