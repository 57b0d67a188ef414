package model

// A symbol is a piece of a word that BPE may still join; next is the index of the one after it, -1 for none.
type symbol struct {
	id, size   int32
	prev, next int32
}

// add appends a symbol.
func (s *Scratch) add(id, size int32) {
	n := int32(len(s.symbols))
	if n > 0 {
		s.symbols[n-1].next = n
	}
	s.symbols = append(s.symbols, symbol{id, size, n - 1, -1})
}

// A merge is what a pair of tokens becomes, and how early it was learned.
type merge struct{ rank, id int32 }

// A mergeTable maps pairs of ids to merges by open hashing.
type mergeTable struct {
	keys   []uint64 // pair + 1, so that 0 is free space
	values []merge
	mask   uint64
}

func newMergeTable(n int) mergeTable {
	size := 16
	for size < 2*n {
		size *= 2
	}
	return mergeTable{make([]uint64, size), make([]merge, size), uint64(size - 1)}
}

func (t *mergeTable) slot(a, b int32) (uint64, uint64) {
	key := (uint64(uint32(a))<<32 | uint64(uint32(b))) + 1
	h := key * 0x9E3779B97F4A7C15
	h ^= h >> 32
	for ; ; h++ {
		if k := t.keys[h&t.mask]; k == key || k == 0 {
			return h & t.mask, key
		}
	}
}

func (t *mergeTable) put(a, b int32, m merge) {
	i, key := t.slot(a, b)
	t.keys[i], t.values[i] = key, m
}

func (t *mergeTable) get(a, b int32) (merge, bool) {
	i, key := t.slot(a, b)
	return t.values[i], t.keys[i] == key
}

// A candidate is a pair that may be joined: the symbol at pos and the one after it.
type candidate struct{ rank, pos, id int32 }

func (c candidate) less(d candidate) bool {
	return c.rank < d.rank || c.rank == d.rank && c.pos < d.pos
}

// fewSymbols is up to where looking at all pairs again and again beats a heap.
const fewSymbols = 24

// join merges the symbols until no merge is left. Symbols that go are taken out of the list; the first one stays.
func (m *BPE) join(s *Scratch) {
	if len(s.symbols) <= fewSymbols {
		m.joinFew(s)
		return
	}
	s.heap = s.heap[:0]
	for i := range len(s.symbols) - 1 {
		m.consider(s, int32(i))
	}
	for len(s.heap) > 0 {
		c := s.pop()
		x := &s.symbols[c.pos]
		if x.size == 0 || x.next < 0 {
			continue
		}
		if now, ok := m.merges.get(x.id, s.symbols[x.next].id); !ok || now.id != c.id {
			continue // one of the two has changed since
		}
		s.merge(c.pos, c.id)
		if x.prev >= 0 {
			m.consider(s, x.prev)
		}
		if x.next >= 0 {
			m.consider(s, c.pos)
		}
	}
}

// joinFew is join by a scan of all pairs for each merge. It keeps the ranks of pairs in the heap's memory.
func (m *BPE) joinFew(s *Scratch) {
	var pairs [fewSymbols]merge
	n := len(s.symbols)
	for i := range n - 1 {
		pairs[i] = m.pair(s, int32(i))
	}
	for n > 1 {
		best, at := noMerge.rank, int32(-1)
		for i := int32(0); i >= 0; i = s.symbols[i].next {
			if pairs[i].rank < best && s.symbols[i].next >= 0 {
				best, at = pairs[i].rank, i
			}
		}
		if at < 0 {
			return
		}
		s.merge(at, pairs[at].id)
		pairs[at] = m.pair(s, at)
		if p := s.symbols[at].prev; p >= 0 {
			pairs[p] = m.pair(s, p)
		}
	}
}

var noMerge = merge{rank: 1<<31 - 1}

// pair returns the merge of the symbol at i and the one after it.
func (m *BPE) pair(s *Scratch, i int32) merge {
	x := &s.symbols[i]
	if x.next >= 0 {
		if v, ok := m.merges.get(x.id, s.symbols[x.next].id); ok {
			return v
		}
	}
	return noMerge
}

// merge makes the symbol at i and the one after it the token id.
func (s *Scratch) merge(i, id int32) {
	x := &s.symbols[i]
	y := &s.symbols[x.next]
	x.id = id
	x.size += y.size
	x.next = y.next
	y.size = 0
	if x.next >= 0 {
		s.symbols[x.next].prev = i
	}
}

// consider pushes the pair that begins at i, if it can be joined.
func (m *BPE) consider(s *Scratch, i int32) {
	v := m.pair(s, i)
	if v == noMerge {
		return
	}
	c := candidate{v.rank, i, v.id}
	s.heap = append(s.heap, c)
	k := len(s.heap) - 1
	for k > 0 {
		up := (k - 1) / 2
		if !c.less(s.heap[up]) {
			break
		}
		s.heap[k] = s.heap[up]
		k = up
	}
	s.heap[k] = c
}

// pop takes the first candidate from the heap.
func (s *Scratch) pop() candidate {
	top := s.heap[0]
	n := len(s.heap) - 1
	c := s.heap[n]
	s.heap = s.heap[:n]
	for k := 0; n > 0; {
		down := 2*k + 1
		if down+1 < n && s.heap[down+1].less(s.heap[down]) {
			down++
		}
		if down >= n || !s.heap[down].less(c) {
			s.heap[k] = c
			break
		}
		s.heap[k] = s.heap[down]
		k = down
	}
	return top
}
