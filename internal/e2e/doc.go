// Package e2e runs the built weir as its users do: real clients (curl, a
// headless Chromium, raw sockets) through its proxy, its interface inside tmux,
// its sessions opened again afterwards. It has no code of its own, only tests.
//
// It is not for behaviour that a package can show by itself; what stands here
// needs the whole program, or another one. Everything happens on loopback, in
// temporary directories, with a configuration directory of its own.
//
// A test that needs a tool which is not installed skips and says so, unless
// WEIR_E2E_REQUIRED is set, as CI does: then the missing tool is a failure.
// Nothing here sleeps for a fixed time or judges by the clock: the tests wait
// for what they expect to see, with a generous limit.
package e2e
