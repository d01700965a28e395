// Package grpctest lets a gRPC client and server of google.golang.org/grpc speak
// through the built weir, and looks at what was recorded. It has no code of its
// own, only tests.
//
// It is a module of its own, so that gRPC stays out of the product's
// dependencies, and builds weir from the tree. Everything happens on loopback
// and in temporary directories; nothing judges by the clock.
package grpctest
