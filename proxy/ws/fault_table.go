package ws

import "strings"

// Fault is a set of rules that a message broke.
type Fault uint32

// The rules, as far as a reader can see that they were broken.
const (
	Unmasked          Fault = 1 << iota // a client must mask its frames
	Masked                              // a server must not
	ReservedBit                         // set without an extension that gives it a meaning
	ReservedOpcode                      // 3 to 7 and 11 to 15
	LongLength                          // a length in more bytes than it needs
	FragmentedControl                   // a control frame that is not final
	LongControl                         // a control frame of more than 125 bytes
	StrayFragment                       // a continuation where no message was begun
	Unfinished                          // another message began before this one was over
	Cut                                 // the connection ended inside it
	NotUTF8                             // text or a close reason
	CloseLength                         // a close of one byte
	CloseCode                           // a code that must not be sent
	AfterClose                          // its sender had sent close before
	CompressedControl                   // RSV1 on a control frame
	CompressedLater                     // RSV1 on a frame that is not a message's first
	Damaged                             // it does not decompress
	FarWindow                           // it refers further back than was agreed on
	Unfolded                            // it inflates to more than is taken
)

// faults is what is said about each, and where the rule is.
var faults = []struct {
	fault Fault
	words string
	rule  string
}{
	{Unmasked, "not masked", "RFC 6455 §5.1"},
	{Masked, "masked by the server", "RFC 6455 §5.1"},
	{ReservedBit, "reserved bit set", "RFC 6455 §5.2"},
	{ReservedOpcode, "reserved opcode", "RFC 6455 §5.2"},
	{LongLength, "length not in its shortest form", "RFC 6455 §5.2"},
	{FragmentedControl, "fragmented control frame", "RFC 6455 §5.4"},
	{LongControl, "control frame longer than 125 bytes", "RFC 6455 §5.5"},
	{StrayFragment, "continues no message", "RFC 6455 §5.4"},
	{Unfinished, "not finished before the next message", "RFC 6455 §5.4"},
	{Cut, "cut off by the end of the connection", "RFC 6455 §7.1.1"},
	{NotUTF8, "not valid UTF-8", "RFC 6455 §8.1"},
	{CloseLength, "close with half a code", "RFC 6455 §5.5.1"},
	{CloseCode, "close code that must not be sent", "RFC 6455 §7.4"},
	{AfterClose, "sent after close", "RFC 6455 §5.5.1"},
	{CompressedControl, "compressed control frame", "RFC 7692 §6.1"},
	{CompressedLater, "compression marked on a later fragment", "RFC 7692 §6.1"},
	{Damaged, "does not decompress", "RFC 7692 §7.2.2"},
	{FarWindow, "compressed with a larger window than agreed on", "RFC 7692 §7.2.1"},
	{Unfolded, "inflates beyond the limit, so that the rest was not kept", ""},
}

// Has reports whether all of g is in f.
func (f Fault) Has(g Fault) bool { return f&g == g }

// String returns the broken rules in words, each with where it stands, joined by "; ".
func (f Fault) String() string {
	var all []string
	for _, row := range faults {
		switch {
		case !f.Has(row.fault):
		case row.rule == "":
			all = append(all, row.words)
		default:
			all = append(all, row.words+" ("+row.rule+")")
		}
	}
	return strings.Join(all, "; ")
}
