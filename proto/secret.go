package flowpb

import "strings"

// secrets are the fields that carry credentials (RFC 9110 section 11.6, RFC 6265).
const secrets = " authorization proxy-authorization cookie set-cookie "

// Secret reports whether the field of that name carries credentials.
func Secret(name []byte) bool {
	return strings.Contains(secrets, " "+strings.ToLower(string(name))+" ") && !strings.Contains(string(name), " ")
}

// hiddenValue stands for a value that is not to be seen.
const hiddenValue = "(hidden)"

// HideSecrets replaces the values of all fields of f that carry credentials. What
// there is of them stays to be seen: that they were sent, where and how often.
func HideSecrets(f *Flow) {
	h := f.GetHttp()
	for _, fields := range [][]*Field{
		h.GetRequest().GetHeaders(), h.GetRequest().GetTrailers(),
		h.GetResponse().GetHeaders(), h.GetResponse().GetTrailers(),
		h.GetOriginalRequest().GetHeaders(), h.GetOriginalRequest().GetTrailers(),
		h.GetOriginalResponse().GetHeaders(), h.GetOriginalResponse().GetTrailers(),
	} {
		for _, field := range fields {
			if Secret(field.GetName()) {
				field.Value, field.Raw = []byte(hiddenValue), nil
			}
		}
	}
}
