package onnx

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Signature is what a model takes and gives. Runtimes check feeds against it, so that all of them refuse the same
// mistakes in the same words.
type Signature struct {
	Inputs  []Port
	Outputs []Port
}

// A Port is one input or output of a [Signature].
type Port struct {
	Name     string
	Type     DType // Undefined where the model does not say, or it is a sequence, map or optional
	Shape    Shape // nil where the model does not say
	Optional bool  // an input that has an initializer as its default
}

// SignatureOf returns the signature of a graph; it keeps nothing of it.
func SignatureOf(g *Graph) Signature {
	defaults := map[string]bool{}
	for _, t := range g.Initializers {
		defaults[t.Name] = true
	}
	for _, t := range g.SparseInitializers {
		if t.Values != nil {
			defaults[t.Values.Name] = true
		}
	}
	var s Signature
	for _, v := range g.Inputs {
		s.Inputs = append(s.Inputs, Port{v.Name, v.Type, slices.Clone(v.Shape), defaults[v.Name]})
	}
	for _, v := range g.Outputs {
		s.Outputs = append(s.Outputs, Port{v.Name, v.Type, slices.Clone(v.Shape), false})
	}
	return s
}

// Check compares feeds with the inputs: none missing, none unknown, each of the declared type, rank and fixed dimensions,
// with as much data as its shape takes. The error names the input, what it wants and what it got.
func (s *Signature) Check(feeds Feeds) error {
	known := 0
	for i := range s.Inputs {
		p := &s.Inputs[i]
		t, ok := feeds[p.Name]
		if !ok {
			if p.Optional {
				continue
			}
			return fmt.Errorf("onnx: run: input %q is not fed; it wants %v", p.Name, p)
		}
		known++
		if err := p.Check(t); err != nil {
			return fmt.Errorf("onnx: run: input %q: %w", p.Name, err)
		}
	}
	if known == len(feeds) {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(feeds)) {
		if !slices.ContainsFunc(s.Inputs, func(p Port) bool { return p.Name == name }) {
			return fmt.Errorf("onnx: run: the model has no input %q; its inputs are %s", name, portNames(s.Inputs))
		}
	}
	return nil
}

// Select returns the places of the named outputs; without a name, of all of them.
func (s *Signature) Select(outputs ...string) ([]int, error) {
	var places []int
	for _, name := range outputs {
		i := slices.IndexFunc(s.Outputs, func(p Port) bool { return p.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("onnx: run: the model has no output %q; its outputs are %s", name, portNames(s.Outputs))
		}
		places = append(places, i)
	}
	for i := range s.Outputs {
		if len(outputs) == 0 {
			places = append(places, i)
		}
	}
	return places, nil
}

// Check compares a tensor with what the port is declared to be.
func (p *Port) Check(t *Tensor) error {
	switch {
	case t == nil:
		return fmt.Errorf("the tensor is nil; want %v", p)
	case t.Type == String || p.Type == String:
		return unsupported(Where{Tensor: p.Name}, "tensors of type string are not run; those of numbers and bool are")
	case !t.Type.known(), p.Type != Undefined && t.Type != p.Type:
		return fmt.Errorf("got elements of type %v, want %v", t.Type, p)
	case p.Shape != nil && !p.Shape.fits(t.Shape):
		return fmt.Errorf("got shape %v, want %v", t.Shape, p)
	}
	want, err := t.byteLen()
	if err != nil {
		return err
	}
	if int64(len(t.Data)) != want {
		return fmt.Errorf("got %d bytes of data; the shape %v of %v takes %d", len(t.Data), t.Shape, t.Type, want)
	}
	return nil
}

// fits reports whether a shape has this one's rank and fixed dimensions.
func (s Shape) fits(got []int64) bool {
	return len(s) == len(got) && !slices.ContainsFunc(got, func(d int64) bool { return d < 0 }) &&
		slices.EqualFunc(s, got, func(want Dim, got int64) bool { return !want.Known || want.Size == got })
}

// String says what the port is declared to be: "float32 [batch 3 224 224]".
func (p *Port) String() string {
	if p.Shape == nil {
		return p.Type.String()
	}
	dims := make([]string, len(p.Shape))
	for i, d := range p.Shape {
		switch {
		case d.Known:
			dims[i] = fmt.Sprint(d.Size)
		case d.Param != "":
			dims[i] = d.Param
		default:
			dims[i] = "?"
		}
	}
	return fmt.Sprintf("%v [%s]", p.Type, strings.Join(dims, " "))
}

// portNames lists ports for an error.
func portNames(ports []Port) string {
	names := make([]string, len(ports))
	for i, p := range ports {
		names[i] = fmt.Sprintf("%q", p.Name)
	}
	return strings.Join(names, ", ")
}
