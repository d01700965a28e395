// Package extsort sorts flows by keys in bounded memory, however many there are
// and however long the keys: a distribution sort that goes to a file with what
// memory is not for.
//
//	Add ──► bucket by the sample's cuts ──► blocks in memory, then in a temporary file
//	Sort ──► bucket after bucket: read, sort, hand its ids on
//
// A sample of the keys gives the cuts, some hundred keys at even distances. Whatever
// lies between two cuts is a bucket, small enough to be sorted in memory, and so is
// each cut itself: keys that many flows share are cuts, and their buckets need no
// sorting at all. A record in a bucket is an id and what the key has beyond the
// beginning that the bucket's two cuts have in common. A bucket that grew too large,
// because the sample said too little, is sorted in the same way by a sorter of its own.
//
// Keys are compared byte by byte; numbers are keys of eight bytes ([Number]). Equal
// keys stand in the order of their ids.
//
// Shards let several goroutines add at once, one each. The file is made when it is
// needed, in Options.Dir, readable by its owner and without a name where the system
// allows that; it is never larger than the keys and six bytes for each.
package extsort
