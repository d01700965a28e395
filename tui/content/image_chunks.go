package content

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// png walks the chunks (PNG specification, section 5.3).
func (f *facts) png() {
	p := f.data
	if len(p) >= 29 && string(p[12:16]) == "IHDR" {
		f.say("depth", fmt.Sprintf("%d bit a channel", p[24]))
		if p[28] == 1 {
			f.say("interlaced", "yes")
		}
	}
	for at := 8; at+8 <= len(p) && f.n < maxFacts; {
		size := int64(binary.BigEndian.Uint32(p[at:]))
		body := p[at+8 : min(int64(len(p)), int64(at)+8+size)]
		f.pngChunk(string(p[at+4:at+8]), body)
		if int64(at)+12+size > int64(len(p)) {
			return
		}
		at += int(12 + size)
	}
}

func (f *facts) pngChunk(kind string, body []byte) {
	switch kind {
	case "acTL":
		if len(body) >= 8 {
			f.say("frames", fmt.Sprint(binary.BigEndian.Uint32(body)))
			f.say("loops", loops(uint16(min(binary.BigEndian.Uint32(body[4:]), 65535))))
		}
	case "pHYs":
		if len(body) >= 9 && body[8] == 1 {
			f.say("density", fmt.Sprintf("%.0f dpi", float64(binary.BigEndian.Uint32(body))*0.0254))
		}
	case "tEXt":
		if name, value, ok := bytes.Cut(body, []byte{0}); ok {
			f.text(string(name[:min(len(name), 40)]), value)
		}
	case "iCCP":
		f.text("profile", body)
	case "eXIf":
		f.exif(body)
	}
}

// jpeg walks the segments up to the picture data (ITU-T T.81, annex B).
func (f *facts) jpeg() {
	p := f.data
	for at := 2; at+4 <= len(p) && f.n < maxFacts; {
		if p[at] != 0xff {
			return
		}
		kind := p[at+1]
		if kind == 0xff {
			at++
			continue
		}
		if kind == 0xda || kind == 0xd9 {
			return
		}
		size := int(binary.BigEndian.Uint16(p[at+2:]))
		if size < 2 {
			return
		}
		f.jpegSegment(kind, p[at+4:max(at+4, min(len(p), at+2+size))])
		at += 2 + size
	}
}

func (f *facts) jpegSegment(kind byte, body []byte) {
	switch {
	case kind >= 0xc0 && kind <= 0xcf && kind != 0xc4 && kind != 0xc8 && kind != 0xcc:
		if len(body) >= 6 {
			f.say("depth", fmt.Sprintf("%d bit, %d channels", body[0], body[5]))
		}
		if kind == 0xc2 {
			f.say("coding", "progressive")
		}
	case kind == 0xe0 && bytes.HasPrefix(body, []byte("JFIF\x00")) && len(body) >= 12 && body[7] == 1:
		f.say("density", fmt.Sprintf("%d dpi", binary.BigEndian.Uint16(body[8:])))
	case kind == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")):
		f.exif(body[6:])
	case kind == 0xe2 && bytes.HasPrefix(body, []byte("ICC_PROFILE\x00")):
		f.say("profile", "ICC")
	case kind == 0xfe:
		f.text("comment", body)
	}
}

// webp walks the RIFF chunks (RFC 9649, section 2).
func (f *facts) webp() {
	p := f.data
	frames := 0
	for at := 12; at+8 <= len(p) && f.n < maxFacts; {
		size := int64(binary.LittleEndian.Uint32(p[at+4:]))
		body := p[at+8 : min(int64(len(p)), int64(at)+8+size)]
		switch string(p[at : at+4]) {
		case "VP8 ":
			f.say("coding", "lossy")
		case "VP8L":
			f.say("coding", "lossless")
		case "ANIM":
			if len(body) >= 6 {
				f.say("loops", loops(binary.LittleEndian.Uint16(body[4:])))
			}
		case "ANMF":
			frames++
		case "EXIF":
			f.exif(bytes.TrimPrefix(body, []byte("Exif\x00\x00")))
		}
		size += size & 1
		if int64(at)+8+size > int64(len(p)) {
			f.frames(frames, frames > 0)
			return
		}
		at += int(8 + size)
	}
	f.frames(frames, false)
}
