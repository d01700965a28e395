package dns

// Failure returns the answer that a resolver gives to a query that it could not
// have answered: the header and the questions with a response code. It returns
// nil where the query has no header.
func Failure(query []byte, code uint8) []byte {
	if len(query) < headerSize {
		return nil
	}
	p := &parser{p: query}
	m := &Message{}
	counts := p.header(m)
	if p.questions(m, counts[0]) != nil || p.headed { // in an answer the name would be another
		return failure(query[:headerSize], code, 0)
	}
	return failure(query[:p.at], code, counts[0])
}

// failure changes the header of a query to that of an answer with so many questions.
func failure(query []byte, code uint8, questions int) []byte {
	out := append([]byte{}, query...)
	const response, opCodeAndDesired, available = 0x80, 0x79, 0x80
	out[2], out[3] = out[2]&opCodeAndDesired|response, available|code&0xf
	clear(out[4:headerSize])
	out[4], out[5] = byte(questions>>8), byte(questions)
	return out
}
