package filter

import "strings"

// nearest returns the name of the operator that people mean who write name: the
// one that has it, or something least unlike it, for a name. Among equals it is
// the one that starts the same, then the first of the table.
func nearest(name string) string {
	name = strings.ToLower(name[:min(len(name), 2*longestName)])
	best, bestScore := "", 0
	try := func(op *operator, as string, far int) {
		score := far + 4*distance(name, as)
		if name[0] != as[0] {
			score += 2
		}
		if best == "" || score < bestScore {
			best, bestScore = op.name, score
		}
	}
	for _, op := range operators {
		try(op, op.name, 0)
		for _, as := range op.also {
			try(op, as, 1)
		}
	}
	return best
}

// longestName bounds what is compared; no operator's name is longer.
const longestName = 16

// distance is the Levenshtein distance of two short texts, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
