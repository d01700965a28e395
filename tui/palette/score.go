package palette

import "unicode"

// Score says how well the letters of query, in order and whatever their case, are
// found in text, and whether they all are. Letters at starts of words and letters
// in a row count more; earlier is better than later. Blanks in query are skipped.
func Score(query, text string) (score int, ok bool) {
	runes := []rune(text)
	at, last := 0, -2
	for _, q := range query {
		if unicode.IsSpace(q) {
			continue
		}
		i := next(runes, at, unicode.ToLower(q))
		if i < 0 {
			return 0, false
		}
		switch {
		case i == last+1:
			score += 12
		case i == 0 || !unicode.IsLetter(runes[i-1]):
			score += 10
		default:
			score++
		}
		score -= min(i-at, 5)
		at, last = i+1, i
	}
	return score, true
}

// next is the first place of a letter from index at, a start of a word before
// others if one is near; -1 for none.
func next(text []rune, at int, q rune) int {
	const near = 12
	first := -1
	for i := at; i < len(text) && (first < 0 || i < first+near); i++ {
		if unicode.ToLower(text[i]) != q {
			continue
		}
		if i == at || !unicode.IsLetter(text[i-1]) {
			return i
		}
		if first < 0 {
			first = i
		}
	}
	return first
}
