package extsort

import (
	"encoding/binary"
	"unsafe"
)

// Options bound a [Sorter]. The zero value of each field is its default.
type Options struct {
	Expect int    // how many keys will come, about; 0 makes one bucket
	Shards int    // how many goroutines add; 1
	Memory int    // bytes of records that are held in memory; 16 MB
	Load   int    // bytes that sorting one bucket may take; 8 MB
	Dir    string // where the file is made; what TMPDIR says, /var/tmp, or the system's directory for such files
}

func (o Options) withDefaults() Options {
	if o.Shards <= 0 {
		o.Shards = 1
	}
	if o.Memory <= 0 {
		o.Memory = 16 << 20
	}
	if o.Load <= 0 {
		o.Load = 8 << 20
	}
	return o
}

// Into how many buckets keys are divided: at most so many cuts, each with as many
// keys on either side that sorting them apart pays.
const (
	maxCuts = 255
	perCut  = 2 << 10
)

// Sorter sorts ids by keys. First each goroutine adds to its own [Shard], then one
// sorts; who is done closes it.
type Sorter struct {
	options Options
	cuts    *cuts
	storage storage
	shards  []*Shard
}

// New makes a sorter for keys like those of the sample, which may be any share of
// them, drawn evenly: some thousand are enough.
func New(sample []string, o Options) *Sorter {
	o = o.withDefaults()
	s := &Sorter{options: o, cuts: newCuts(sample, min(o.Expect/perCut, maxCuts))}
	s.storage.dir, s.storage.limit = o.Dir, int64(o.Memory)
	for range o.Shards {
		s.shards = append(s.shards, &Shard{sorter: s, streams: make([]stream, s.cuts.buckets()), ordered: true})
	}
	return s
}

// Close takes the file away. Nothing may be under way.
func (s *Sorter) Close() error { return s.storage.close() }

// Shard is one goroutine's side of a sorter. The ids of a shard are above those
// of the shards before it, and come in ascending order, or sorting takes longer.
func (s *Sorter) Shard(i int) *Shard { return s.shards[i] }

// Stem makes a stem for [Shard.AddTo].
func (s *Sorter) Stem(prefix string) Stem { return s.cuts.stem(prefix) }

// Shard takes keys in.
type Shard struct {
	sorter      *Sorter
	streams     []stream // of each bucket
	ordered     bool     // the ids came in ascending order
	first, last uint32   // ids; 0: none came
	number      [8]byte
}

// Add adds an id with its key, which is copied.
func (h *Shard) Add(id uint32, key string) error {
	return h.AddTo(&h.sorter.cuts.root, id, key)
}

// AddNumber adds an id with a number for its key.
func (h *Shard) AddNumber(id uint32, n uint64) error {
	binary.BigEndian.PutUint64(h.number[:], n)
	return h.Add(id, unsafe.String(&h.number[0], len(h.number))) // is copied before the next
}

// Number is the key that AddNumber gives, for a sample.
func Number(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }

// AddTo adds an id whose key is the stem's prefix and rest.
func (h *Shard) AddTo(stem *Stem, id uint32, rest string) error {
	h.ordered = h.ordered && id > h.last
	if h.first == 0 {
		h.first = id
	}
	h.last = id
	rest = rest[:min(len(rest), max(MaxKey-len(stem.prefix), 0))]
	bucket := h.sorter.cuts.bucket(stem, rest)
	stream := &h.streams[bucket]
	stream.n++
	if bucket%2 == 1 {
		var record [4]byte
		binary.LittleEndian.PutUint32(record[:], id)
		return h.sorter.storage.append(stream, unsafe.String(&record[0], len(record)))
	}
	prefix := ""
	if known := h.sorter.cuts.shared[bucket/2]; known < len(stem.prefix) {
		prefix = stem.prefix[known:]
	} else {
		rest = rest[known-len(stem.prefix):]
	}
	var head [recordHead]byte
	binary.LittleEndian.PutUint16(head[:], uint16(len(prefix)+len(rest)))
	binary.LittleEndian.PutUint32(head[2:], id)
	for _, part := range [...]string{unsafe.String(&head[0], len(head)), prefix, rest} {
		if err := h.sorter.storage.append(stream, part); err != nil {
			return err
		}
	}
	return nil
}
