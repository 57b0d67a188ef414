package normalize

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/onnx-graft/graft/text/internal/aligned"
	"github.com/onnx-graft/graft/text/internal/ucd"
)

// Precompiled is SentencePiece's rule table: a double-array trie (darts-clone's layout) from byte sequences to offsets
// in a blob of replacements, each ended by a zero byte.
type Precompiled struct {
	trie []uint32
	blob []byte
}

// NewPrecompiled reads a precompiled_charsmap: the trie's size in bytes, the trie, the blob. Empty data is no rules.
func NewPrecompiled(data []byte) (*Precompiled, error) {
	if len(data) == 0 {
		return &Precompiled{}, nil
	}
	if len(data) < 4 {
		return nil, fmt.Errorf("precompiled_charsmap has %d bytes, too few for its size", len(data))
	}
	size := int64(binary.LittleEndian.Uint32(data))
	if size > int64(len(data)-4) {
		return nil, fmt.Errorf("precompiled_charsmap says its trie has %d bytes, but %d follow", size, len(data)-4)
	}
	p := &Precompiled{trie: make([]uint32, size/4), blob: data[4+size/4*4:]}
	for i := range p.trie {
		p.trie[i] = binary.LittleEndian.Uint32(data[4+4*i:])
	}
	if !utf8.Valid(p.blob) {
		return nil, fmt.Errorf("precompiled_charsmap: its replacements are not UTF-8")
	}
	return p, nil
}

// lookup returns the replacement of the shortest rule that chunk begins with.
func (p *Precompiled) lookup(chunk []byte) ([]byte, bool) {
	if len(p.trie) == 0 {
		return nil, false
	}
	unit := p.trie[0]
	pos := offset(unit)
	for _, c := range chunk {
		if c == 0 {
			break
		}
		pos ^= uint32(c)
		if int64(pos) >= int64(len(p.trie)) {
			return nil, false
		}
		unit = p.trie[pos]
		if unit&(1<<31|0xff) != uint32(c) {
			return nil, false
		}
		pos ^= offset(unit)
		if unit>>8&1 != 1 {
			continue
		}
		if int64(pos) >= int64(len(p.trie)) {
			return nil, false
		}
		at := p.trie[pos] & (1<<31 - 1)
		if int64(at) > int64(len(p.blob)) {
			return nil, false
		}
		s := p.blob[at:]
		if n := bytes.IndexByte(s, 0); n >= 0 {
			s = s[:n]
		}
		return s, utf8.Valid(s)
	}
	return nil, false
}

func offset(unit uint32) uint32 { return unit >> 10 << (unit & (1 << 9) >> 6) }

// maxChanges bounds what rules may make of a text.
const maxChanges = 1 << 28

// Normalize implements Normalizer. A grapheme cluster of less than 6 bytes that begins with a rule is replaced whole; of
// others each character is looked up by itself. (That is how SentencePiece's results have been matched in practice.)
func (p *Precompiled) Normalize(t *aligned.Text) {
	if len(p.trie) == 0 || p.leaves(t.Bytes) {
		return
	}
	u := ucd.Get()
	changes := t.Changes()
	modified := false
	for i := 0; i < len(t.Bytes) && len(changes) < maxChanges; {
		n := u.Grapheme(t.Bytes[i:])
		cluster := t.Bytes[i : i+n]
		i += n
		if n < 6 {
			if s, ok := p.lookup(cluster); ok {
				modified = true
				changes = replace(changes, cluster, s)
				continue
			}
		}
		for k := 0; k < n; {
			r, m := utf8.DecodeRune(cluster[k:])
			if s, ok := p.lookup(cluster[k : k+m]); ok {
				modified = true
				changes = replace(changes, cluster[k:k+m], s)
			} else {
				changes = append(changes, ucd.Change{Rune: r})
			}
			k += m
		}
	}
	if modified {
		t.Apply(changes)
	}
}

// leaves reports whether the text is ASCII without a byte that has a rule; two ASCII characters never form a cluster,
// except CR LF.
func (p *Precompiled) leaves(text []byte) bool {
	root := offset(p.trie[0])
	for _, c := range text {
		if c >= utf8.RuneSelf || c == '\r' {
			return false
		}
		pos := root ^ uint32(c)
		if c != 0 && int64(pos) < int64(len(p.trie)) && p.trie[pos]&(1<<31|0xff) == uint32(c) && p.trie[pos]>>8&1 == 1 {
			return false
		}
	}
	return true
}

// replace appends the changes that turn old into s: characters replace one another in turn, what s has more is inserted,
// what it has less is removed after its last.
func replace(changes []ucd.Change, old, s []byte) []ucd.Change {
	was, is := utf8.RuneCount(old), utf8.RuneCount(s)
	k := 0
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRune(s[i:])
		i += n
		c := ucd.Change{Rune: r}
		if k >= was {
			c.Delta = 1
		}
		changes = append(changes, c)
		k++
	}
	if is < was && len(changes) > 0 {
		changes[len(changes)-1].Delta -= int32(was - is)
	}
	return changes
}
