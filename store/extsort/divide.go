package extsort

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
)

// divideSample is how many keys a sorter within a sorter takes for its sample.
const divideSample = 4 << 10

// divide sorts a bucket that is too large by a sorter of its own. That ends: its
// cuts are keys of the bucket, so that each of its buckets is smaller.
func (s *Sorter) divide(ctx context.Context, bucket int, emit func(ids []uint32) error) (err error) {
	sample, n, err := s.sample(bucket)
	if err != nil {
		return err
	}
	o := s.options
	o.Shards, o.Expect = 1, max(n, 2*perCut)
	within := New(sample, o)
	defer func() { err = errors.Join(err, within.Close()) }()
	if err := s.records(bucket, false, within.Shard(0).Add); err != nil {
		return err
	}
	return within.Sort(ctx, emit)
}

// sample draws keys from a bucket at random, so that nobody can foresee which, and
// counts all.
func (s *Sorter) sample(bucket int) (sample []string, n int, err error) {
	err = s.records(bucket, true, func(_ uint32, key string) error {
		n++
		if len(sample) < divideSample {
			sample = append(sample, key)
		} else if i := rand.IntN(n); i < divideSample {
			sample[i] = key
		}
		return nil
	})
	return sample, n, err
}

// records calls f with the records of a bucket.
func (s *Sorter) records(bucket int, keep bool, f func(id uint32, key string) error) error {
	for _, h := range s.shards {
		var rest []byte // of a record that goes on in the next block
		err := s.storage.each(&h.streams[bucket], keep, func(p []byte) error {
			rest = append(rest, p...)
			at := 0
			for at+recordHead <= len(rest) {
				size := int(binary.LittleEndian.Uint16(rest[at:]))
				if at+recordHead+size > len(rest) {
					break
				}
				id := binary.LittleEndian.Uint32(rest[at+2:])
				if err := f(id, string(rest[at+recordHead:at+recordHead+size])); err != nil {
					return err
				}
				at += recordHead + size
			}
			rest = append(rest[:0], rest[at:]...)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
