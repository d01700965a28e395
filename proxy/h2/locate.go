package h2

// FindFrame returns where in p a frame begins, -1 where none can be told from other
// bytes. It is for observers that lost their place, or came late. A frame is believed where it
// is what its type asks for and on the connection or on a stream that is known, or
// where others follow it, each behind the one before, up to the end of p.
func FindFrame(p []byte, known func(stream uint32) bool) int {
	for at := range p {
		if len(p)-at < frameHeader {
			break
		}
		f := parseFrame(p[at:])
		if f.plausible() && (f.stream != 0 && known(f.stream) || isChain(p[at:])) {
			return at
		}
	}
	return -1
}

// BeginsWithFrames reports whether p consists of frames, the last of which may not be
// whole, where there are others.
func BeginsWithFrames(p []byte) bool { return isChain(p) }

// isChain reports whether p is plausible frames up to its end.
func isChain(p []byte) bool {
	whole := 0
	for len(p) >= frameHeader {
		f := parseFrame(p)
		if !f.plausible() {
			return false
		}
		p = p[frameHeader:]
		if len(p) < f.length {
			return whole > 0
		}
		p = p[f.length:]
		whole++
	}
	return whole > 0
}

// plausible reports whether the header of a frame is what RFC 9113 §6 asks of it.
func (f frame) plausible() bool {
	if f.length > defaultFrameSize {
		return false
	}
	flags, stream, size := uint8(0), true, true
	switch f.kind {
	case FrameData:
		flags = flagEndStream | flagPadded
		size = f.length > 0 || f.flags != 0 // zeros look like such a one
	case FrameHeaders:
		flags = flagEndStream | flagEndHeaders | flagPadded | flagPriority
		size = f.length > 0
	case FrameContinuation:
		flags = flagEndHeaders
	case FramePushPromise:
		flags = flagEndHeaders | flagPadded
		size = f.length > 4
	case FramePriority:
		size = f.length == 5
	case FrameReset:
		size = f.length == 4
	case FrameWindowUpdate:
		return f.length == 4 && f.flags == 0
	case FrameSettings:
		flags, stream, size = flagAck, false, f.length%settingSize == 0 && (f.length == 0 || !f.has(flagAck))
	case FramePing:
		flags, stream, size = flagAck, false, f.length == 8
	case FrameGoAway:
		stream, size = false, f.length >= 8
	default:
		return false
	}
	return size && f.flags&^flags == 0 && (f.stream != 0) == stream
}
