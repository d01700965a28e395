package flowpb

// Where several sessions are one list, the id of a flow has which of them it is in, from
// 1 on, above the number that it has there. In a list of one session ids are these numbers.
const placeBits = 32

// Place is the id of a flow, by its number in a session, in the list of several sessions.
func Place(session int, number uint64) uint64 { return uint64(session)<<placeBits | number }

// Placed takes the id of a flow apart: session is 0 in the list of one session.
func Placed(id uint64) (session int, number uint64) {
	return int(id >> placeBits), id & (1<<placeBits - 1)
}
