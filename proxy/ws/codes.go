package ws

// The codes of a block: fixed ones (RFC 1951 §3.2.6), or of its own (§3.2.7).

// Numbers of symbols, those that exist and those that lengths can be given for.
const (
	maxLiterals  = 286
	maxDistances = 30
)

func (z *inflater) fixedCodes() {
	if !z.fixedIsBuilt {
		var lengths [288]uint8
		for i := range lengths {
			switch {
			case i < 144:
				lengths[i] = 8
			case i < 256:
				lengths[i] = 9
			case i < 280:
				lengths[i] = 7
			default:
				lengths[i] = 8
			}
		}
		z.fixed[0].build(lengths[:])
		for i := range 32 {
			lengths[i] = 5
		}
		z.fixed[1].build(lengths[:32])
		z.fixedIsBuilt = true
	}
	z.lit, z.dist = &z.fixed[0], &z.fixed[1]
}

func (z *inflater) codesHead() (bool, error) {
	if z.bits < 14 {
		return false, nil
	}
	z.literals, z.distances, z.meta = z.take(5)+257, z.take(5)+1, z.take(4)+4
	if z.literals > maxLiterals || z.distances > maxDistances {
		return false, damage("more codes than there are symbols")
	}
	z.have = 0
	clear(z.lengths[:len(codeOrder)])
	z.step = inMeta
	return true, nil
}

// metaLengths reads the code in which the lengths of the other codes are written.
func (z *inflater) metaLengths() (bool, error) {
	for ; z.have < z.meta; z.have++ {
		if z.bits < 3 {
			return len(z.in) > 0, nil
		}
		z.lengths[codeOrder[z.have]] = uint8(z.take(3))
	}
	if !z.own[0].build(z.lengths[:len(codeOrder)]) {
		return false, damage("codes that are no code")
	}
	z.have, z.step = 0, inLengths
	return true, nil
}

// codeLengths reads the lengths of the codes for literals and distances.
func (z *inflater) codeLengths() (bool, error) {
	all := z.literals + z.distances
	for z.have < all {
		z.fill()
		symbol, n := z.own[0].decode(z.hold, z.bits)
		if n == 0 {
			return false, z.lacking(z.bits)
		}
		if symbol < 16 {
			z.take(n)
			z.lengths[z.have] = uint8(symbol)
			z.have++
			continue
		}
		if ok, err := z.repeatLength(symbol, n, all); !ok {
			return false, err
		}
	}
	if !z.own[0].build(z.lengths[:z.literals]) || !z.own[1].build(z.lengths[z.literals:all]) {
		return false, damage("codes that are no code")
	}
	z.lit, z.dist = &z.own[0], &z.own[1]
	z.step = inSymbols
	return true, nil
}

// repeatLength repeats the length before, or zero.
func (z *inflater) repeatLength(symbol int, n uint, all int) (bool, error) {
	least, extra, value := 3, uint(2), uint8(0)
	switch symbol {
	case 16:
		if z.have == 0 {
			return false, damage("a repetition of nothing")
		}
		value = z.lengths[z.have-1]
	case 17:
		extra = 3
	default:
		least, extra = 11, 7
	}
	if z.bits < n+extra {
		return false, nil
	}
	z.take(n)
	times := least + z.take(extra)
	if z.have+times > all {
		return false, damage("more codes than were announced")
	}
	for range times {
		z.lengths[z.have] = value
		z.have++
	}
	return true, nil
}
