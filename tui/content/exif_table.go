package content

// exifName is the name of an EXIF tag that tells a person something, "" for others.
func exifName(tag uint16) string {
	switch tag {
	case 0x0001:
		return "gps north-south"
	case 0x0002:
		return "gps latitude"
	case 0x0003:
		return "gps east-west"
	case 0x0004:
		return "gps longitude"
	case 0x001d:
		return "gps date"
	case 0x010e:
		return "description"
	case 0x010f:
		return "make"
	case 0x0110:
		return "model"
	case 0x0112:
		return "orientation"
	case 0x0131:
		return "software"
	case 0x0132:
		return "changed"
	case 0x013b:
		return "artist"
	case 0x8298:
		return "copyright"
	case 0x829a:
		return "exposure"
	case 0x829d:
		return "f-number"
	case 0x8827:
		return "iso"
	case 0x9003:
		return "taken"
	case 0x920a:
		return "focal length"
	case 0xa434:
		return "lens"
	}
	return ""
}
