package extsort

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
)

// workers is how many buckets are sorted at a time.
const workers = 2

// sorted is a bucket on its way: its ids, or that it has to be sorted piecemeal.
type sorted struct {
	bucket int
	ids    []uint32
	large  bool
	err    error
}

// Sort hands all ids on in order, in slices that are the receiver's own, and leaves
// the sorter empty. It ends early with the error of emit or of the context.
func (s *Sorter) Sort(ctx context.Context, emit func(ids []uint32) error) error {
	ctx, cancel := context.WithCancel(ctx)
	pending := make(chan chan sorted, workers-1)
	rooms := make(chan *room, workers)
	for range workers {
		rooms <- &room{}
	}
	var group sync.WaitGroup // ended before Sort returns
	defer group.Wait()
	defer cancel()
	group.Go(func() {
		defer close(pending)
		for bucket := range s.cuts.buckets() {
			result := make(chan sorted, 1)
			select {
			case pending <- result:
			case <-ctx.Done():
				return
			}
			group.Go(func() { result <- s.bucket(bucket, rooms) })
		}
	})
	for result := range pending {
		r := <-result
		if err := s.handOn(ctx, r, emit); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// handOn emits the ids of a bucket.
func (s *Sorter) handOn(ctx context.Context, r sorted, emit func(ids []uint32) error) error {
	switch {
	case r.err != nil:
		return r.err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case r.large && r.bucket%2 == 1:
		return s.emitCut(r.bucket, emit)
	case r.large:
		return s.divide(ctx, r.bucket, emit)
	case len(r.ids) == 0:
		return nil
	}
	return emit(r.ids)
}

// bucket sorts a bucket, unless it has to be handed on piecemeal.
func (s *Sorter) bucket(bucket int, rooms chan *room) sorted {
	out := sorted{bucket: bucket}
	size, n := 0, 0
	for _, h := range s.shards {
		size += h.streams[bucket].size()
		n += h.streams[bucket].n
	}
	if bucket%2 == 1 || n > 1 && roomFor(size, n) > s.options.Load {
		out.large = n > 0
		return out
	}
	if n == 0 {
		return out
	}
	room := <-rooms
	defer func() { rooms <- room }()
	room.data = room.data[:0]
	for _, h := range s.shards {
		if room.data, out.err = s.storage.load(room.data, &h.streams[bucket]); out.err != nil {
			return out
		}
	}
	out.ids = room.sort(n, s.ordered())
	return out
}

// ordered reports whether the ids ascend, one shard after the other.
func (s *Sorter) ordered() bool {
	last := uint32(0)
	for _, h := range s.shards {
		if h.first == 0 {
			continue
		}
		if !h.ordered || h.first <= last {
			return false
		}
		last = h.last
	}
	return true
}

// emitCut emits the ids with one key: they are in order as they came.
func (s *Sorter) emitCut(bucket int, emit func(ids []uint32) error) error {
	if !s.ordered() {
		var all []uint32
		err := s.idsOf(bucket, func(ids []uint32) error {
			all = append(all, ids...)
			return nil
		})
		if err != nil {
			return err
		}
		slices.Sort(all)
		return emit(all)
	}
	return s.idsOf(bucket, emit)
}

// idsOf calls f with the ids of a cut's bucket.
func (s *Sorter) idsOf(bucket int, f func(ids []uint32) error) error {
	for _, h := range s.shards {
		err := s.storage.each(&h.streams[bucket], false, func(p []byte) error {
			ids := make([]uint32, 0, len(p)/4)
			for ; len(p) >= 4; p = p[4:] {
				ids = append(ids, binary.LittleEndian.Uint32(p))
			}
			return f(ids)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
