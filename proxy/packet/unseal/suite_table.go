package unseal

import (
	"crypto"
	_ "crypto/md5"    //nolint:gosec // the hashes that suites name
	_ "crypto/sha1"   //nolint:gosec // see above
	_ "crypto/sha256" // see above
	_ "crypto/sha512" // see above
	"slices"
)

// bulk is the cipher of a suite.
type bulk uint8

const (
	aesGCM bulk = iota + 1
	aesCCM
	aesCCM8 // with a tag of half the length
	chaCha
	aesCBC
	tripleDES
	rc4Stream
	noCipher // authenticated, and not encrypted
)

// suite is how records are sealed.
type suite struct {
	bulk bulk
	key  int         // bytes
	hash crypto.Hash // of the key derivation, from TLS 1.2 on
	mac  crypto.Hash // 0: the cipher authenticates
}

// suiteTable is the suites by how they seal; how keys are exchanged does not matter
// here (IANA, TLS Cipher Suites).
var suiteTable = []struct {
	suite
	ids []uint16
}{
	{suite{aesGCM, 16, crypto.SHA256, 0}, []uint16{
		0x1301, 0x009c, 0x009e, 0x00a0, 0x00a2, 0x00a4, 0x00a6, 0x00a8, 0x00aa, 0x00ac,
		0xc02b, 0xc02d, 0xc02f, 0xc031, 0xd001,
	}},
	{suite{aesGCM, 32, crypto.SHA384, 0}, []uint16{
		0x1302, 0x009d, 0x009f, 0x00a1, 0x00a3, 0x00a5, 0x00a7, 0x00a9, 0x00ab, 0x00ad,
		0xc02c, 0xc02e, 0xc030, 0xc032, 0xd002,
	}},
	{suite{aesCCM, 16, crypto.SHA256, 0}, []uint16{0x1304, 0xc09c, 0xc09e, 0xc0a4, 0xc0a6, 0xc0ac, 0xd005}},
	{suite{aesCCM, 32, crypto.SHA256, 0}, []uint16{0xc09d, 0xc09f, 0xc0a5, 0xc0a7, 0xc0ad}},
	{suite{aesCCM8, 16, crypto.SHA256, 0}, []uint16{0x1305, 0xc0a0, 0xc0a2, 0xc0a8, 0xc0aa, 0xc0ae, 0xd003}},
	{suite{aesCCM8, 32, crypto.SHA256, 0}, []uint16{0xc0a1, 0xc0a3, 0xc0a9, 0xc0ab, 0xc0af}},
	{suite{chaCha, 32, crypto.SHA256, 0}, []uint16{
		0x1303, 0xcca8, 0xcca9, 0xccaa, 0xccab, 0xccac, 0xccad, 0xccae,
	}},
	{suite{aesCBC, 16, crypto.SHA256, crypto.SHA1}, []uint16{
		0x002f, 0x0030, 0x0031, 0x0032, 0x0033, 0x0034, 0x008c, 0x0090, 0x0094,
		0xc004, 0xc009, 0xc00e, 0xc013, 0xc018, 0xc01d, 0xc01e, 0xc01f, 0xc035,
	}},
	{suite{aesCBC, 32, crypto.SHA256, crypto.SHA1}, []uint16{
		0x0035, 0x0036, 0x0037, 0x0038, 0x0039, 0x003a, 0x008d, 0x0091, 0x0095,
		0xc005, 0xc00a, 0xc00f, 0xc014, 0xc019, 0xc020, 0xc021, 0xc022, 0xc036,
	}},
	{suite{aesCBC, 16, crypto.SHA256, crypto.SHA256}, []uint16{
		0x003c, 0x003e, 0x003f, 0x0040, 0x0067, 0x006c, 0x00ae, 0x00b2, 0x00b6,
		0xc023, 0xc025, 0xc027, 0xc029, 0xc037,
	}},
	{suite{aesCBC, 32, crypto.SHA256, crypto.SHA256}, []uint16{0x003d, 0x0068, 0x0069, 0x006a, 0x006b, 0x006d}},
	{suite{aesCBC, 32, crypto.SHA384, crypto.SHA384}, []uint16{0x00af, 0x00b3, 0x00b7, 0xc024, 0xc026, 0xc028, 0xc02a, 0xc038}},
	{suite{tripleDES, 24, crypto.SHA256, crypto.SHA1}, []uint16{
		0x000a, 0x000d, 0x0010, 0x0013, 0x0016, 0x001b, 0x008b, 0x008f, 0x0093,
		0xc003, 0xc008, 0xc00d, 0xc012, 0xc017, 0xc01a, 0xc01b, 0xc01c, 0xc034,
	}},
	{suite{rc4Stream, 16, crypto.SHA256, crypto.MD5}, []uint16{0x0004, 0x0018}},
	{suite{rc4Stream, 16, crypto.SHA256, crypto.SHA1}, []uint16{
		0x0005, 0x008a, 0x008e, 0x0092, 0xc002, 0xc007, 0xc00c, 0xc011, 0xc016, 0xc033,
	}},
	{suite{noCipher, 0, crypto.SHA256, crypto.MD5}, []uint16{0x0001}},
	{suite{noCipher, 0, crypto.SHA256, crypto.SHA1}, []uint16{
		0x0002, 0x002c, 0x002d, 0x002e, 0xc001, 0xc006, 0xc00b, 0xc010, 0xc015, 0xc039,
	}},
	{suite{noCipher, 0, crypto.SHA256, crypto.SHA256}, []uint16{0x003b, 0x00b0, 0x00b4, 0x00b8, 0xc03a}},
	{suite{noCipher, 0, crypto.SHA384, crypto.SHA384}, []uint16{0x00b1, 0x00b5, 0x00b9, 0xc03b}},
}

// lookup finds a suite by its number.
func lookup(id uint16) (suite, bool) {
	for _, row := range suiteTable {
		if slices.Contains(row.ids, id) {
			return row.suite, true
		}
	}
	return suite{}, false
}

// block is the size of the cipher's blocks, 0 where it has none to fill.
func (s suite) block() int {
	switch s.bulk {
	case aesCBC:
		return 16
	case tripleDES:
		return 8
	}
	return 0
}
