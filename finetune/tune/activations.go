package tune

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
)

// activations are what the frozen layers made of examples, computed once and held in a file: row by row, each of its own
// length where the number of tokens varies.
type activations struct {
	file   *os.File
	kept   bool // the file stays when it is closed
	buffer []byte

	Offsets []int64 // where each example's row begins, in bytes
	Lengths []int   // tokens of each example; nil where all rows have one shape
	Shape   []int64 // of one example; the first dimension is another for each where Lengths is set
	Unit    int     // numbers a token has, or a whole row
	Bytes   int64   // of all rows
	Sum     uint32  // checksum of all rows
}

// activations returns what the prefix makes of rows as a view shows them: kept ones of an earlier run, or computed batch by
// batch.
func (n *network) activations(ctx context.Context, rt onnx.Runtime, p *Problem, of Examples, view int, rows []int, b *batcher, progress func(done, total int)) (*activations, error) {
	key, err := p.Kept.key(n, b, view, rows)
	if err != nil {
		return nil, fmt.Errorf("tune: %w", err)
	}
	if a := p.Kept.find(key, of.Len()); a != nil {
		progress(len(rows), len(rows))
		return a, nil
	}
	if p.Kept != nil && os.MkdirAll(p.Kept.Dir, 0o777) == nil {
		a, err := n.compute(ctx, rt, p.Kept.Dir, of, rows, b, progress)
		if err == nil {
			p.Kept.keep(key, a)
			return a, nil
		}
		if !errors.Is(err, errUnwritten) {
			return nil, err
		}
	}
	return n.compute(ctx, rt, p.Scratch, of, rows, b, progress)
}

// errUnwritten says that a folder cannot take the activations: it is full, or not ours.
var errUnwritten = errors.New("the results of frozen layers cannot be written")

// compute runs the prefix over rows into a new file in dir.
func (n *network) compute(ctx context.Context, rt onnx.Runtime, dir string, of Examples, rows []int, b *batcher, progress func(done, total int)) (*activations, error) {
	session, err := rt.NewSession(n.prefix)
	if err != nil {
		return nil, fmt.Errorf("tune: %w", err)
	}
	defer session.Close()
	file, err := os.CreateTemp(dir, scratchName)
	if err != nil {
		return nil, fmt.Errorf("tune: %w: %w", errUnwritten, err)
	}
	a := &activations{file: file, Offsets: make([]int64, of.Len())}
	if n.lengths {
		a.Lengths = make([]int, of.Len())
	}
	out := bufio.NewWriterSize(file, 1<<20)
	done := 0
	for _, batch := range b.sorted(rows) {
		var feeds onnx.Feeds
		var made []*onnx.Tensor
		if feeds, err = of.Feeds(batch); err == nil {
			if made, err = session.Run(ctx, taken(n.prefix, feeds)); err == nil {
				err = a.append(out, made[0], batch, b.sizes)
			}
		}
		if err != nil {
			a.close()
			return nil, fmt.Errorf("tune: frozen layers: %w", err)
		}
		done += len(batch)
		progress(done, len(rows))
	}
	if err := out.Flush(); err != nil {
		a.close()
		return nil, fmt.Errorf("tune: %w: %w", errUnwritten, err)
	}
	return a, nil
}

// append writes the rows of one batch and notes where they are.
func (a *activations) append(out io.Writer, t *onnx.Tensor, batch, sizes []int) error {
	data, err := onnx.View[float32](t)
	if err != nil {
		return err
	}
	row := len(data) / len(batch)
	a.Unit = row
	if a.Shape == nil {
		a.Shape = append([]int64(nil), t.Shape[1:]...)
	}
	if a.Lengths != nil {
		a.Unit = row / int(t.Shape[1])
	}
	for i, example := range batch {
		keep := row
		if a.Lengths != nil {
			a.Lengths[example] = min(sizes[example], int(t.Shape[1]))
			keep = a.Lengths[example] * a.Unit
		}
		a.buffer = a.buffer[:0]
		for _, v := range data[i*row : i*row+keep] {
			a.buffer = binary.LittleEndian.AppendUint32(a.buffer, math.Float32bits(v))
		}
		if _, err := out.Write(a.buffer); err != nil {
			return fmt.Errorf("%w: %w", errUnwritten, err)
		}
		a.Offsets[example] = a.Bytes
		a.Bytes += int64(len(a.buffer))
		a.Sum = checksum(a.Sum, a.buffer)
	}
	return nil
}

// batch returns the rows of some examples as one tensor, padded with zeros to tokens where lengths vary.
func (a *activations) batch(name string, rows []int, tokens int) (*onnx.Tensor, error) {
	shape := append([]int64{int64(len(rows))}, a.Shape...)
	row := a.Unit
	if a.Lengths != nil {
		shape[1] = int64(tokens)
		row = tokens * a.Unit
	}
	data := make([]float32, len(rows)*row)
	for i, example := range rows {
		n := a.Unit
		if a.Lengths != nil {
			n = min(a.Lengths[example], tokens) * a.Unit
		}
		if cap(a.buffer) < 4*n {
			a.buffer = make([]byte, 4*n)
		}
		buffer := a.buffer[:4*n]
		if _, err := a.file.ReadAt(buffer, a.Offsets[example]); err != nil {
			return nil, fmt.Errorf("cached activations: %w", err)
		}
		for j := range n {
			data[i*row+j] = math.Float32frombits(binary.LittleEndian.Uint32(buffer[4*j:]))
		}
	}
	return onnx.NewTensor(name, data, shape...), nil
}

// close removes the file, unless it is kept.
func (a *activations) close() {
	if a == nil {
		return
	}
	a.file.Close()
	if !a.kept {
		os.Remove(a.file.Name())
	}
}

// runOnce runs a model for the feeds it takes, and returns all its outputs.
func runOnce(ctx context.Context, rt onnx.Runtime, m *onnx.Model, feeds onnx.Feeds) ([]*onnx.Tensor, error) {
	m = m.Clone()
	weights, err := autodiff.PromoteLarge(m)
	if err != nil {
		return nil, err
	}
	s, err := rt.NewSession(m)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	feeds = taken(m, feeds)
	for _, w := range weights {
		feeds[w.Name] = w
	}
	return s.Run(ctx, feeds)
}
