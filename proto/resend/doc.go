// Package resend writes requests as commands and programs that send them again: curl,
// HTTPie, Python, Go, JavaScript, PowerShell.
//
// What is sent is the request as it was received, by the route that it took: method,
// target, fields in order and case, body byte for byte. Each tool adds fields of its
// own and tidies up; what it would add is switched off, what it does by itself is left
// out, and where it cannot send just this request there is an error that says why,
// instead of a program that sends another. What a tool cannot be kept from is in the
// comment of its file: fetch sends names in lower case, Go and HTTPie sort fields.
//
// The text may hold anything that was captured, and people paste it into terminals.
// Hence the quoting leaves no control character and no byte beyond ASCII in a program,
// and lets nothing out of its string; only text in a shell's single quotes may hold
// other printable characters.
//
// Everything is a function of its input.
package resend
