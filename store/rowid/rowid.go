// Package rowid packs what a row is of into its id, the one integer that SQLite finds it by.
//
//	piece of a body    flow << 23 | side << 20 | number
//	message            flow << 28 | sequence
//
// So what a flow has stands together in the file, in its order, and what a range of flows
// has is a range of ids; no table but that of shared bodies needs an index. The layout is
// part of the session's format: docs/session-format.md.
//
// Lists of ids go to SQL and come from there by [List] and [Select].
//
// It keeps nothing. Ids that come out of a file may be any integers:
// taking them apart never fails, and whoever does looks at what comes out.
package rowid

import (
	flowpb "weir/proto"
)

// The fields of the ids.
const (
	pieceBits   = 20
	messageBits = 28

	// SideBits number the bodies of a flow, above those that number the pieces of a body.
	SideBits = 3
	// BodyBits number the pieces of all bodies of a flow.
	BodyBits = pieceBits + SideBits

	MaxPieces   = 1 << pieceBits     // of one body
	MaxSide     = 1<<SideBits - 1    // the highest [flowpb.Side] that has room
	MaxMessages = 1<<messageBits - 1 // of one flow; they are numbered from 1
)

// Piece is the id of a piece of a body; number 0 is its first.
func Piece(flow uint64, side flowpb.Side, number int) int64 {
	return int64(flow<<BodyBits | uint64(side)<<pieceBits | uint64(number))
}

// BodyFlow is the flow of a piece.
func BodyFlow(piece int64) int64 { return piece >> BodyBits }

// Body is a number that the pieces of one body have in common, and those of no other.
func Body(piece int64) int64 { return piece >> pieceBits }

// Side is which of its flow's bodies a piece is of.
func Side(piece int64) flowpb.Side { return flowpb.Side(piece >> pieceBits & MaxSide) }

// Number is where a piece stands in its body, from 0.
func Number(piece int64) int64 { return piece & (MaxPieces - 1) }

// First is the first piece of the body that a piece is of.
func First(piece int64) int64 { return piece &^ (MaxPieces - 1) }

// Last is the highest id that a piece of the same body can have.
func Last(piece int64) int64 { return piece | (MaxPieces - 1) }

// Message is the id of a message; sequence 1 is the first of its flow.
func Message(flow, sequence uint64) int64 { return int64(flow<<messageBits | sequence) }

// MessageFlow is the flow of a message.
func MessageFlow(message int64) int64 { return message >> messageBits }

// Sequence is where a message stands in its flow, from 1.
func Sequence(message int64) int64 { return message & MaxMessages }
