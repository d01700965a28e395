package resend

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// PowerShell is a command of PowerShell 7 that sends a request.
func PowerShell(r *Request) (string, error) {
	const tool = "Invoke-WebRequest"
	if err := r.check(); err != nil {
		return "", err
	}
	fields, host, err := r.fields(tool)
	if err != nil {
		return "", err
	}
	if !settled(string(r.Head.GetPath())) {
		return "", errTarget(tool)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Invoke-WebRequest -Uri %s -CustomMethod %s", quotePowerShell(r.base()+string(r.Head.GetPath())), quotePowerShell(string(r.Head.GetMethod())))
	b.WriteString(" -SkipHeaderValidation -SkipHttpErrorCheck -MaximumRedirection 0 -NoProxy -Headers ([ordered]@{\n")
	seen := map[string]bool{}
	if host != "" && host != r.Route {
		fmt.Fprintf(&b, "  'Host' = %s\n", quotePowerShell(host))
	}
	kind := ""
	for _, f := range fields {
		key := strings.ToLower(f.name)
		if seen[key] {
			return "", errTwice(tool, f.name)
		}
		seen[key] = true
		if key == "content-type" {
			kind = " -ContentType " + quotePowerShell(f.value)
			continue
		}
		fmt.Fprintf(&b, "  %s = %s\n", quotePowerShell(f.name), quotePowerShell(f.value))
	}
	b.WriteString("})" + kind)
	if r.Body != nil {
		fmt.Fprintf(&b, " -Body ([Convert]::FromBase64String('%s'))", base64.StdEncoding.EncodeToString(r.Body))
	}
	b.WriteByte('\n')
	return b.String(), nil
}
