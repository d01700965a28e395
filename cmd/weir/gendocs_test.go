package main

import "testing"

func TestArgument(t *testing.T) {
	for usage, want := range map[string]string{
		"write to FILE instead of standard output":                              "FILE",
		"show clients this certificate instead of one of the CA, [HOST=]FILE …": "[HOST=]FILE",
		"pass TLS and tunnels to hosts unopened where REGEX is found":           "REGEX",
		"newest TLS VERSION spoken with clients":                                "VERSION",
		"give USER:PASSWORD to the proxy of upstream mode":                      "USER:PASSWORD",
		"let SIZE of packets wait in the kernel (default: 64M)":                 "SIZE",
		"readers at a time": "",
	} {
		if got := argument(usage); got != want {
			t.Errorf("argument(%q): got %q, want %q", usage, got, want)
		}
	}
}
