package finetune

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"sync"
	"unsafe"

	"github.com/onnx-graft/graft/heads"
)

// entriesAtOnce is how much of an index is in memory at a time.
const entriesAtOnce = 1 << 15

// eachEntry hands the index's entries from entry lo on to f, a piece at a time, and returns how many entries there are. at
// is the number of a piece's first.
func (s *rowStore) eachEntry(lo int, f func(at int, piece entryList)) (int, error) {
	info, err := s.index.Stat()
	if err != nil {
		return lo, err
	}
	n := max(lo, int(info.Size()-headerSize)/entrySize)
	buffer := make(entryList, min(n-lo, entriesAtOnce)*entrySize)
	for at := lo; at < n; at += entriesAtOnce {
		piece := buffer[:min(n-at, entriesAtOnce)*entrySize]
		if _, err := s.index.ReadAt(piece, headerSize+int64(at)*entrySize); err != nil && err != io.EOF {
			return n, err
		}
		f(at, piece)
	}
	return n, nil
}

// An entryList is a piece of an index.
type entryList []byte

func (l entryList) len() int             { return len(l) / entrySize }
func (l entryList) at(i int) []byte      { return l[i*entrySize : (i+1)*entrySize] }
func (l entryList) key(i int) contentKey { return contentKey(l.at(i)[:16]) }
func (l entryList) row(i int) uint32     { return binary.LittleEndian.Uint32(l.at(i)[16:]) }
func (l entryList) ok(i int) bool {
	return binary.LittleEndian.Uint32(l.at(i)[20:]) == checksum(l.at(i)[:20])
}

func appendEntry(l []byte, key contentKey, row uint32) []byte {
	at := len(l)
	l = append(l, key[:]...)
	l = binary.LittleEndian.AppendUint32(l, row)
	return binary.LittleEndian.AppendUint32(l, checksum(l[at:]))
}

// A foundRow is a row of the store that is wanted.
type foundRow struct {
	slot int
	sum  uint32
	row  int // the first row of the result with that content
}

// read fills in the wanted rows there are. Damaged ones are counted, told of and left out. Only ctx's end is an error.
func (s *rowStore) read(ctx context.Context, want *wanted, out heads.Matrix) error {
	var found []foundRow
	damaged := 0
	count, err := s.eachEntry(0, func(at int, entries entryList) {
		for i := range entries.len() {
			if !entries.ok(i) {
				s.free = append(s.free, at+i)
				damaged++
				continue
			}
			if row, ok := want.first[entries.key(i)]; ok && !want.found[row] {
				want.found[row] = true
				found = append(found, foundRow{slot: at + i, sum: entries.row(i), row: int(row)})
			}
		}
	})
	if err != nil {
		s.warn(fmt.Sprintf("cache %s: %v; its rows are computed again", s.path, err))
		clear(want.found)
		return nil
	}
	s.count = count
	bad, err := s.readRows(ctx, found, want, out)
	if err != nil {
		return err
	}
	for _, f := range bad {
		want.found[f.row] = false
		s.free = append(s.free, f.slot)
	}
	if damaged += len(bad); damaged > 0 {
		s.warn(fmt.Sprintf("cache %s: %d of %d rows are damaged; those needed are computed again", s.path, damaged, s.count))
	}
	return nil
}

// readRows reads rows in the order of their slots, neighbours together, and returns those whose checksum is wrong.
func (s *rowStore) readRows(ctx context.Context, found []foundRow, want *wanted, out heads.Matrix) ([]foundRow, error) {
	slices.SortFunc(found, func(a, b foundRow) int { return a.slot - b.slot })
	width := s.width()
	most := max(1, 1<<20/width) // rows read at once
	var runs [][]foundRow
	for rest := found; len(rest) > 0; {
		n := 1
		for n < len(rest) && n < most && rest[n].slot == rest[n-1].slot+1 {
			n++
		}
		runs = append(runs, rest[:n])
		rest = rest[n:]
	}
	buffers := sync.Pool{New: func() any { b := make([]byte, most*width); return &b }}
	var mu sync.Mutex
	var bad []foundRow
	err := eachParallel(ctx, len(runs), 1, func(i int) error {
		run := runs[i]
		buffer := buffers.Get().(*[]byte)
		defer buffers.Put(buffer)
		data := (*buffer)[:len(run)*width]
		n, _ := s.rows.ReadAt(data, int64(run[0].slot)*int64(width)) // what cannot be read is as good as damaged
		for j, f := range run {
			row := data[j*width : (j+1)*width]
			if (j+1)*width > n || checksum(row) != f.sum {
				mu.Lock()
				bad = append(bad, f)
				mu.Unlock()
				continue
			}
			for at := f.row; at >= 0; at = int(want.next[at]) {
				s.about.decode(out.Row(at), row)
			}
		}
		return nil
	})
	return bad, err
}

// rowBytes is a row as it lies in memory and on disk; the hosts graft runs on are little-endian.
func rowBytes(row []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(row))), 4*len(row))
}
