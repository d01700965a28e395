package store

import (
	"context"

	"weir/store/verify"
)

// Verify checks the file, as package verify says.
func (s *Session) Verify(ctx context.Context) ([]verify.Problem, error) {
	return s.VerifyProgress(ctx, nil)
}

// VerifyProgress is Verify that tells often how far it is: see [verify.Options].
func (s *Session) VerifyProgress(ctx context.Context, tell func(what string, done, total uint64)) ([]verify.Problem, error) {
	return verify.Run(ctx, verify.File{Path: s.path, DB: s.read, Bodies: s.bodies}, verify.Options{Progress: tell})
}
