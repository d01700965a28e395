package report

import (
	"regexp"
	"strings"
)

// secretNames is a pattern of the names behind which secrets stand in addresses, forms
// and JSON.
const secretNames = `(?:[\w-]*(?:token|secret|passw(?:or)?d|passphrase|api[_-]?key|credential|authorization|signature)[\w-]*|pwd|auth|sig|sid|session(?:[_-]?id)?|otp|pin|code_verifier)`

// hidden stands for a value that is not to be seen.
const hidden = "(hidden)"

var (
	secretField     = regexp.MustCompile(`(?i)^` + secretNames + `$`)
	secretParameter = regexp.MustCompile(`(?i)([?&;#]` + secretNames + `=)[^&;#\s]*`)
	secretForm      = regexp.MustCompile(`(?i)((?:^|&)` + secretNames + `=)[^&\s]*`)
	// The value of a member is a string, which may end with the excerpt, or anything else
	// up to the next comma or bracket.
	secretMember = regexp.MustCompile(`(?i)("` + secretNames + `"\s*:\s*)(?:"(?:[^"\\]|\\.)*(?:"|\\?$)|[^\s",{}\[\]]+)`)
	userInfo     = regexp.MustCompile(`(://)[^/?#@\s]+@`)
)

// maskQuery hides the secrets of an address.
func maskQuery(url string) string {
	url = userInfo.ReplaceAllString(url, "${1}"+hidden+"@")
	return secretParameter.ReplaceAllString(url, "${1}"+hidden)
}

// maskBody hides the secrets of a form or of JSON.
func maskBody(text string) string {
	if !strings.ContainsAny(text, "\n{ <") {
		return secretForm.ReplaceAllString(text, "${1}"+hidden)
	}
	return maskQuery(secretMember.ReplaceAllString(text, `${1}"`+hidden+`"`))
}
