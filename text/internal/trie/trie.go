// Package trie finds byte strings that begin a text.
package trie

import (
	"errors"
	"fmt"
)

// A Trie maps byte strings to ids, which are not negative. It does not change after it is made. Steps from a node
// to its children lie in one open hash table, so that each byte costs one probe.
type Trie struct {
	root  [256]int32 // children of node 0
	steps []step
	mask  uint32
	ids   []int32 // of each node, -1 where none ends
}

// A step is the child of a node by a byte; node 0 is free space, since the root is nobody's child.
type step struct {
	from uint32 // node<<8 | byte
	to   int32
}

const (
	maxNodes = 1 << 24
	maxKey   = 1 << 12 // a search tries no more bytes than the longest key has
)

var errTooBig = errors.New("the vocabulary is too big: more than 16,777,216 distinct beginnings")

// New makes a trie of keys, which must differ; empty keys are left out. The order of keys does not matter.
func New(keys map[string]int32) (*Trie, error) {
	total := 1
	for k := range keys {
		total += len(k)
	}
	size := 1024
	for size < total*3/2 && size < 2*maxNodes {
		size *= 2
	}
	t := &Trie{steps: make([]step, size), mask: uint32(size - 1), ids: []int32{-1}}
	for k, id := range keys {
		if k == "" {
			continue
		}
		if len(k) > maxKey {
			return nil, fmt.Errorf("%.20q… has %d bytes; a token may have %d", k, len(k), maxKey)
		}
		n := int32(0)
		for i := range len(k) {
			next, slot := t.find(n, k[i])
			if next == 0 {
				if len(t.ids) >= maxNodes {
					return nil, errTooBig
				}
				next = int32(len(t.ids))
				t.ids = append(t.ids, -1)
				t.steps[slot] = step{uint32(n)<<8 | uint32(k[i]), next}
			}
			n = next
		}
		t.ids[n] = id
	}
	for c := range t.root {
		t.root[c], _ = t.find(0, byte(c))
	}
	return t, nil
}

// find returns the child of a node by a byte, 0 for none, and the place in steps where it is or belongs.
func (t *Trie) find(node int32, c byte) (int32, uint32) {
	key := uint32(node)<<8 | uint32(c)
	for h := key * 0x9E3779B1; ; h++ {
		slot := (h ^ h>>15) & t.mask
		s := t.steps[slot]
		if s.to == 0 || s.from == key {
			return s.to, slot
		}
	}
}

// Next returns the child of a node by a byte, 0 for none. Walks begin at node 0.
func (t *Trie) Next(node int32, c byte) int32 {
	if node == 0 {
		return t.root[c]
	}
	n, _ := t.find(node, c)
	return n
}

// Longest returns the id of the longest key that text begins with and its length, 0 for none.
func (t *Trie) Longest(text []byte) (id int32, length int) {
	n := int32(0)
	for i, c := range text {
		if n = t.Next(n, c); n == 0 {
			break
		}
		if v := t.ids[n]; v >= 0 {
			id, length = v, i+1
		}
	}
	return id, length
}

// ID returns the id of the key that ends at a node, or -1.
func (t *Trie) ID(node int32) int32 { return t.ids[node] }
