package tune

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/onnx-graft/graft/onnx"
)

// activations are what the frozen layers made of every example, computed once and kept in a file: row by row, each of
// its own length where the number of tokens varies.
type activations struct {
	file    *os.File
	offsets []int64 // where each example's row begins, in bytes; one more at the end
	lengths []int   // tokens of each example; nil where all rows have one shape
	shape   []int64 // of one example; the first dimension is that of the longest where lengths is set
	unit    int     // numbers a token has, or a whole row
	buffer  []byte
}

// computeActivations runs the prefix over all examples, batch by batch, into a new file in dir ("" for the system's
// folder of temporary files) that is removed when closed.
func computeActivations(ctx context.Context, rt onnx.Runtime, n *network, p *Problem, b *batcher, progress func(done, total int)) (*activations, error) {
	session, err := rt.NewSession(n.prefix)
	if err != nil {
		return nil, fmt.Errorf("tune: %w", err)
	}
	defer session.Close()
	file, err := os.CreateTemp(p.Scratch, "graft-activations-*")
	if err != nil {
		return nil, fmt.Errorf("tune: %w", err)
	}
	a := &activations{file: file, offsets: make([]int64, p.Examples.Len()+1)}
	if n.lengths {
		a.lengths = make([]int, p.Examples.Len())
	}
	done, end := 0, int64(0)
	places := make([]int64, p.Examples.Len())
	for _, batch := range b.sorted(all(p.Examples.Len())) {
		out, err := runBatch(ctx, session, n.prefix, p, batch)
		if err == nil {
			end, err = a.append(out[0], batch, b.sizes, places, end)
		}
		if err != nil {
			a.close()
			return nil, fmt.Errorf("tune: frozen layers: %w", err)
		}
		done += len(batch)
		progress(done, p.Examples.Len())
	}
	a.offsets = append(places, end)
	return a, nil
}

func runBatch(ctx context.Context, s onnx.Session, m *onnx.Model, p *Problem, batch []int) ([]*onnx.Tensor, error) {
	feeds, err := p.Examples.Feeds(batch)
	if err != nil {
		return nil, err
	}
	return s.Run(ctx, taken(m, feeds))
}

// append writes the rows of one batch and notes where they are.
func (a *activations) append(t *onnx.Tensor, batch, sizes []int, places []int64, end int64) (int64, error) {
	data, err := onnx.View[float32](t)
	if err != nil {
		return end, err
	}
	row := len(data) / len(batch)
	a.unit = row
	if a.shape == nil {
		a.shape = append([]int64(nil), t.Shape[1:]...)
	}
	if a.lengths != nil {
		a.unit = row / int(t.Shape[1])
	}
	for i, example := range batch {
		keep := row
		if a.lengths != nil {
			a.lengths[example] = min(sizes[example], int(t.Shape[1]))
			keep = a.lengths[example] * a.unit
		}
		a.buffer = a.buffer[:0]
		for _, v := range data[i*row : i*row+keep] {
			a.buffer = binary.LittleEndian.AppendUint32(a.buffer, math.Float32bits(v))
		}
		if _, err := a.file.WriteAt(a.buffer, end); err != nil {
			return end, err
		}
		places[example] = end
		end += int64(len(a.buffer))
	}
	return end, nil
}

// batch returns the rows of some examples as one tensor, padded with zeros to tokens where lengths vary.
func (a *activations) batch(name string, rows []int, tokens int) (*onnx.Tensor, error) {
	shape := append([]int64{int64(len(rows))}, a.shape...)
	row := a.unit
	if a.lengths != nil {
		shape[1] = int64(tokens)
		row = tokens * a.unit
	}
	data := make([]float32, len(rows)*row)
	for i, example := range rows {
		n := a.unit
		if a.lengths != nil {
			n = min(a.lengths[example], tokens) * a.unit
		}
		if cap(a.buffer) < 4*n {
			a.buffer = make([]byte, 4*n)
		}
		buffer := a.buffer[:4*n]
		if _, err := a.file.ReadAt(buffer, a.offsets[example]); err != nil && err != io.EOF {
			return nil, fmt.Errorf("tune: cached activations: %w", err)
		}
		for j := range n {
			data[i*row+j] = math.Float32frombits(binary.LittleEndian.Uint32(buffer[4*j:]))
		}
	}
	return onnx.NewTensor(name, data, shape...), nil
}

// close removes the file.
func (a *activations) close() error {
	if a == nil {
		return nil
	}
	err := a.file.Close()
	if gone := os.Remove(a.file.Name()); err == nil {
		err = gone
	}
	return err
}

// all are the numbers 0 to n−1.
func all(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}
