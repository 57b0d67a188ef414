package ort

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"unsafe"

	ortgo "github.com/yalue/onnxruntime_go"

	"github.com/onnx-graft/graft/onnx"
)

// errClosed is returned by a Run after Close.
var errClosed = errors.New("ort: run: the session is closed")

// Run computes outputs (see [onnx.Session]). The same feeds give the same bits. Results are the caller's own memory.
func (s *session) Run(ctx context.Context, feeds onnx.Feeds, outputs ...string) ([]*onnx.Tensor, error) {
	chosen, err := s.signature.Select(outputs...)
	if err != nil {
		return nil, err
	}
	ports := make([]*port, len(chosen))
	for i, place := range chosen {
		ports[i] = s.outputs[place]
	}
	results := make([]*onnx.Tensor, len(ports))
	if err := s.fill(ctx, feeds, ports, results); err != nil {
		return nil, err
	}
	return results, nil
}

// fill computes the outputs into results, and puts new tensors where it has none. Their sizes are taken from the shapes the
// model declares where that can be, and not where those turn out to be wrong.
func (s *session) fill(ctx context.Context, feeds onnx.Feeds, ports []*port, results []*onnx.Tensor) error {
	for i, p := range ports {
		if results[i] == nil && p.Type == onnx.String {
			return fmt.Errorf("ort: run: output: %w", p.Check(&onnx.Tensor{}))
		}
	}
	given := slices.Clone(results)
	err := s.compute(ctx, feeds, ports, results)
	if !isShapeConflict(err) {
		return err
	}
	var guessed []*port
	for i, p := range ports {
		if given[i] == nil && results[i] != nil {
			guessed = append(guessed, p)
			p.misled.Store(true)
		}
	}
	if len(guessed) == 0 {
		return err
	}
	copy(results, given)
	if err = s.compute(ctx, feeds, ports, results); err != nil {
		for _, p := range guessed { // it was not the declared shapes
			p.misled.Store(false)
		}
	}
	return err
}

// RunInto computes the outputs named by the keys of outputs into those tensors (see [onnx.IntoRunner]), which must not share
// memory with feeds.
func (s *session) RunInto(ctx context.Context, feeds, outputs onnx.Feeds) error {
	var names []string
	var ports []*port
	var results []*onnx.Tensor
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		chosen, err := s.signature.Select(name)
		if err != nil {
			return err
		}
		p, t := s.outputs[chosen[0]], outputs[name]
		if t != nil {
			if err := p.Check(t); err != nil {
				return fmt.Errorf("ort: run: output %q: %w", name, err)
			}
			if !aligned(t) {
				return fmt.Errorf("ort: run: output %q: its memory is not aligned for %v", name, t.Type)
			}
		}
		names, ports, results = append(names, name), append(ports, p), append(results, t)
	}
	if len(ports) == 0 {
		return errors.New("ort: run: no outputs are asked for")
	}
	if err := s.fill(ctx, feeds, ports, results); err != nil {
		return err
	}
	for i, name := range names {
		outputs[name] = results[i]
	}
	return nil
}

// compute runs the graph once. Where results[i] is nil the output is allocated: here if its size is known beforehand,
// else by ONNX Runtime and copied out.
func (s *session) compute(ctx context.Context, feeds onnx.Feeds, ports []*port, results []*onnx.Tensor) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("ort: run: %w", err)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return errClosed
	}
	if err := s.signature.Check(feeds); err != nil {
		return err
	}
	sizes := s.bindings(feeds)
	var v values
	defer v.free()
	c := call{session: s.handle}
	for _, p := range s.inputs {
		t, ok := feeds[p.Name]
		if !ok {
			continue
		}
		value, err := v.over(t)
		if err != nil {
			return fmt.Errorf("ort: run: input %q: %w", p.Name, err)
		}
		c.inputNames, c.inputs = append(c.inputNames, p.cname), append(c.inputs, value)
	}
	for i, p := range ports {
		if results[i] == nil {
			results[i] = p.result(sizes)
		}
		var value unsafe.Pointer
		if results[i] != nil {
			var err error
			if value, err = v.over(results[i]); err != nil {
				return fmt.Errorf("ort: run: output %q: %w", p.Name, err)
			}
		}
		c.outputNames, c.outputs = append(c.outputNames, p.cname), append(c.outputs, value)
	}
	if err := runUntil(ctx, &c); err != nil {
		return err
	}
	return v.collect(ports, c.outputs, results)
}

// runUntil runs a call and stops it when ctx is done.
func runUntil(ctx context.Context, c *call) error {
	if ctx.Done() == nil {
		return runError(c.run())
	}
	options, err := ortgo.NewRunOptions()
	if err != nil {
		return fmt.Errorf("ort: run options: %w", err)
	}
	defer options.Destroy()
	if c.options, err = pointerIn(options, "o"); err != nil {
		return err
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		options.Terminate() // its only failure is that options are none
	})
	err = c.run()
	if !stop() {
		<-ended // options must outlive the call above
	}
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("ort: run: %w", ctx.Err())
	}
	return runError(err)
}

// failedNode matches the node in ONNX Runtime's message.
var failedNode = regexp.MustCompile(`(?s)while running (\S+) node\. Name:'([^']*)' Status Message: (.*)`)

func runError(err error) error {
	if err == nil {
		return nil
	}
	if m := failedNode.FindStringSubmatch(err.Error()); m != nil {
		return &RunError{Op: m[1], Node: m[2], Err: errors.New(m[3])}
	}
	return &RunError{Err: err}
}

// shapeConflict matches what ONNX Runtime says of an output whose memory has not the shape it computed.
var shapeConflict = regexp.MustCompile(`shape|invalid dimensions for output`)

func isShapeConflict(err error) bool {
	var failed *RunError
	return errors.As(err, &failed) && shapeConflict.MatchString(failed.Err.Error())
}

// values are the ONNX Runtime tensors of one call, over memory that is pinned until free.
type values struct {
	pinner runtime.Pinner
	list   []unsafe.Pointer
}

// over makes a value over t's memory, or over a copy where that is not aligned for its elements.
func (v *values) over(t *onnx.Tensor) (unsafe.Pointer, error) {
	data := t.Data
	if !aligned(t) {
		data = append(make([]byte, 0, len(data)), data...)
	}
	if len(data) > 0 {
		v.pinner.Pin(unsafe.SliceData(data))
	}
	value, err := newValue(data, t.Shape, int32(t.Type))
	if err == nil {
		v.list = append(v.list, value)
	}
	return value, err
}

// collect copies out what ONNX Runtime allocated.
func (v *values) collect(ports []*port, outputs []unsafe.Pointer, results []*onnx.Tensor) error {
	var failed error
	for i, p := range ports {
		if results[i] != nil {
			continue
		}
		t, err := copyOut(p, outputs[i])
		freeValue(outputs[i])
		results[i], failed = t, errors.Join(failed, err)
	}
	return failed
}

// copyOut turns a value of ONNX Runtime's into a tensor.
func copyOut(p *port, value unsafe.Pointer) (*onnx.Tensor, error) {
	if value == nil {
		return nil, notATensor(p)
	}
	elem, shape, data, err := describeValue(value)
	if err != nil {
		return nil, fmt.Errorf("ort: run: output %q: %w", p.Name, err)
	}
	if elem < 0 {
		return nil, notATensor(p)
	}
	t := &onnx.Tensor{Name: p.Name, Type: onnx.DType(elem), Shape: shape}
	if t.Type == onnx.String {
		return nil, fmt.Errorf("ort: run: output: %w", p.Check(t))
	}
	n, err := byteLen(t)
	if err != nil {
		return nil, fmt.Errorf("ort: run: output %q: %w", p.Name, err)
	}
	t.Data = make([]byte, n)
	if n > 0 {
		copy(t.Data, unsafe.Slice((*byte)(data), n))
	}
	return t, nil
}

func notATensor(p *port) error {
	return &onnx.UnsupportedError{Where: onnx.Where{Tensor: p.Name}, Problem: "the output is a sequence, map or optional; tensors can be had"}
}

// free releases the values and lets the garbage collector have their memory again.
func (v *values) free() {
	for _, value := range v.list {
		freeValue(value)
	}
	v.pinner.Unpin()
}

// aligned reports whether a tensor's memory begins where its elements may.
func aligned(t *onnx.Tensor) bool {
	width := uintptr(min(max(t.Type.Size(), 1), 8))
	return uintptr(unsafe.Pointer(unsafe.SliceData(t.Data)))%width == 0
}
