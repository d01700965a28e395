// Package ws reads WebSocket connections (RFC 6455) and the compression they
// agree on (permessage-deflate, RFC 7692) without doing any I/O: bytes in,
// events out. The proxy feeds it from sockets and from HTTP/2 streams, a packet
// capture feeds it from reassembled segments.
//
// [Negotiate] tells from the handshake's fields what the two ends agreed on. A
// [Reader] then parses one direction of the connection. Its owner hands it what
// arrived, in pieces of any size, and takes events until [NeedMore]:
//
//	for {
//		n, ev, err := r.Feed(p)
//		p = p[n:]
//		if err != nil || ev.Kind == ws.NeedMore {
//			break
//		}
//		...
//	}
//
// One message is the sequence FrameHead, then any number of Data, then for each
// further fragment FrameHead and Data again, then MessageEnd. A control message
// has one frame and may come as a whole between the frames of another, so the
// owner keeps the two apart by [Event.Control]. Cutting the input differently cuts Data
// differently and changes nothing else. Data is what the sender meant: unmasked
// and decompressed.
//
// # Other people's mistakes are reported, not refused
//
// A reader that inspects has to go on where a peer would close the connection.
// Whatever breaks a rule and still has a sense is a [Fault] of the message it
// is in: a frame that should be masked, a reserved bit or opcode, text that is
// no UTF-8, a fragment of nothing, a close code nobody may send. Text is
// checked across fragments and across any cut of the input. Only a length of
// 2^63 bytes or more ends the reading (§5.2), with an [*Error]: what follows it
// has no frames that could be found.
//
// Data that does not decompress is a fault as well: the message's content goes on
// with the bytes as they came, from [Message.RawFrom] on. Where the next
// message builds on the damaged one (context takeover) it is passed compressed
// too, else the next message is read again.
//
// # What it is not
//
// It writes no frames, and it judges no handshake beyond its extensions.
//
// # Concurrency and memory
//
// A Reader is for one goroutine at a time. It holds no message, only what
// [Limits] allow: the lengths of a message's frames, a buffer of 4 KB where
// something is masked or compressed, and 40 KB of window and tables from the
// first compressed message on. A message that inflates beyond [Limits].Inflated
// is cut there.
package ws
