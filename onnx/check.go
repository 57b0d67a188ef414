package onnx

const (
	oldestIR, newestIR       = 3, 13
	oldestOpset, newestOpset = 7, 23
)

// Check verifies that a model is one that a runtime could accept: versions and operator sets, names that are made once
// and before they are read (subgraphs see what surrounds them), operators with the arguments and attributes they take,
// tensors with as many elements as their shapes say. Types and shapes of what nodes compute are left to the runtime.
//
// The first fault is returned, as a [MalformedError] or, where the model may be right but is not for this package, an
// [UnsupportedError]. Both name the node, its operator and its place. Operators of other domains than ai.onnx are
// accepted as they are, if the model imports the domain. Check changes nothing.
func Check(m *Model) error {
	c := &checker{
		functions: make(map[functionKey]bool, len(m.Functions)),
		types:     typesOfAttributes(),
	}
	switch {
	case m.IRVersion <= 0:
		return malformed(Where{}, "no IR version")
	case m.IRVersion < oldestIR || m.IRVersion > newestIR:
		return unsupported(Where{}, "IR version %d; supported are %d to %d", m.IRVersion, oldestIR, newestIR)
	case m.Graph == nil:
		return malformed(Where{}, "no graph")
	}
	for _, f := range m.Functions {
		key := functionKey{plainDomain(f.Domain), f.Name, f.Overload}
		if c.functions[key] {
			return malformed(Where{Scope: f.part()}, "the function is defined twice")
		}
		c.functions[key] = true
	}
	for _, f := range m.Functions {
		if err := c.function(f); err != nil {
			return err
		}
	}
	if err := c.imports(m.Opsets, spot{}); err != nil {
		return err
	}
	return c.graph(m.Graph, spot{}, nil)
}

// A checker carries what the parts of a model are checked against.
type checker struct {
	opsets    map[string]int64 // version by domain, of the model or of the function being checked
	functions map[functionKey]bool
	types     map[string]AttrType
	within    bool // within a function, where attributes may refer to the caller's
}

type functionKey struct{ domain, name, overload string }

// plainDomain spells ai.onnx in one way.
func plainDomain(d string) string {
	if standardDomain(d) {
		return ""
	}
	return d
}

// imports checks a list of operator sets and makes it the current one.
func (c *checker) imports(list []Opset, w spot) error {
	if len(list) == 0 {
		return malformed(w.at(), "no operator set is imported")
	}
	c.opsets = make(map[string]int64, len(list))
	for _, o := range list {
		domain := plainDomain(o.Domain)
		old, again := c.opsets[domain]
		switch {
		case again && old != o.Version:
			return malformed(w.at(), "operator set %q is imported in versions %d and %d", o.Domain, old, o.Version)
		case o.Version <= 0:
			return malformed(w.at(), "operator set %q is imported in version %d", o.Domain, o.Version)
		case domain == "" && (o.Version < oldestOpset || o.Version > newestOpset):
			return unsupported(w.at(), "opset %d; supported are %d to %d", o.Version, oldestOpset, newestOpset)
		}
		c.opsets[domain] = o.Version
	}
	return nil
}

// A scope is the names that nodes of a graph can read: its own so far, and those of the graphs around it.
type scope struct {
	names map[string]bool
	outer *scope
}

func (s *scope) has(name string) bool {
	for ; s != nil; s = s.outer {
		if s.names[name] {
			return true
		}
	}
	return false
}

// define adds a name, which must be new.
func (s *scope) define(name string, w spot) error {
	if s.has(name) {
		return malformed(w.at(), "%q is made a second time; every name is made once", name)
	}
	s.names[name] = true
	return nil
}

// graph checks a graph within the scope around it, which is nil for the model's own.
func (c *checker) graph(g *Graph, here spot, outer *scope) error {
	s := &scope{make(map[string]bool, len(g.Inputs)+len(g.Initializers)+len(g.Nodes)), outer}
	for i, v := range g.Inputs {
		w := here.of(v.Name)
		if v.Name == "" {
			return malformed(w.at(), "graph input %d has no name", i)
		}
		if outer == nil && v.Type == Undefined && (v.typ == nil || v.typ.other == nil) {
			return malformed(w.at(), "the graph input has no type")
		}
		if err := s.define(v.Name, w); err != nil {
			return err
		}
	}
	if err := c.constants(g, here, s); err != nil {
		return err
	}
	for _, list := range [][]*Value{g.Inputs, g.Outputs, g.Values} {
		for _, v := range list {
			if v.Type != Undefined && !v.Type.known() {
				return malformed(here.of(v.Name).at(), "element type %d is not one of the format's", int32(v.Type))
			}
		}
	}
	if err := c.nodes(g.Nodes, here, s); err != nil {
		return err
	}
	for i, v := range g.Outputs {
		if !s.has(v.Name) {
			return malformed(here.of(v.Name).at(), "graph output %d is made by no node, input or initializer", i)
		}
	}
	return nil
}

// constants checks a graph's initializers. One may have the name of a graph input, whose default it then is.
func (c *checker) constants(g *Graph, here spot, s *scope) error {
	seen := make(map[string]bool, len(g.Initializers))
	for i, t := range g.Initializers {
		w := here.of(t.Name)
		if t.Name == "" {
			return malformed(w.at(), "initializer %d has no name", i)
		}
		if err := within(t.check(), w); err != nil {
			return err
		}
		if seen[t.Name] || !s.names[t.Name] && s.outer.has(t.Name) {
			return malformed(w.at(), "%q is made a second time; every name is made once", t.Name)
		}
		seen[t.Name], s.names[t.Name] = true, true
	}
	for i, t := range g.SparseInitializers {
		w := here
		if t.Values == nil || t.Values.Name == "" {
			return malformed(w.at(), "sparse initializer %d has no name", i)
		}
		w = here.of(t.Values.Name)
		if err := within(t.check(), w); err != nil {
			return err
		}
		if err := s.define(t.Values.Name, w); err != nil {
			return err
		}
	}
	return nil
}

// within completes an error about a tensor with where that tensor is.
func within(err error, w spot) error {
	if bad, ok := err.(*MalformedError); ok {
		bad.Where = w.at()
	}
	return err
}

// check verifies that the tensor has values, that there is an index for each, and that both have the elements they state.
func (t *SparseTensor) check() error {
	if t.Values == nil || t.Indices == nil {
		return malformed(Where{}, "a sparse tensor without values or without indices")
	}
	for _, part := range []*Tensor{t.Values, t.Indices} {
		if err := part.check(); err != nil {
			return err
		}
	}
	if _, err := countElements(t.Dims, Where{}); err != nil {
		return err
	}
	values, indices := t.Values.Shape, t.Indices.Shape
	linear := len(indices) == 1
	coordinates := len(indices) == 2 && indices[1] == int64(len(t.Dims))
	if len(values) != 1 || t.Indices.Type != Int64 || !linear && !coordinates || indices[0] != values[0] {
		return malformed(Where{}, "values of shape %v need %v indices of type int64 and shape [n] or [n, %d], not %v of shape %v",
			values, values, len(t.Dims), t.Indices.Type, indices)
	}
	return nil
}

// part names the function for errors.
func (f *Function) part() string { return "function " + f.Domain + "." + f.Name }

// function checks a function's body, which sees the function's inputs and nothing else.
func (c *checker) function(f *Function) error {
	w := spot{part: f.part()}
	if f.Name == "" {
		return malformed(w.at(), "the function has no name")
	}
	if err := c.imports(f.Opsets, w); err != nil {
		return err
	}
	s := &scope{names: make(map[string]bool, len(f.Inputs)+len(f.Nodes))}
	for _, name := range f.Inputs {
		if err := s.define(name, w); err != nil {
			return err
		}
	}
	c.within = true
	defer func() { c.within = false }()
	if err := c.nodes(f.Nodes, w, s); err != nil {
		return err
	}
	for i, name := range f.Outputs {
		if !s.has(name) {
			return malformed(w.at(), "output %d, %q, is made by no node or input of the function", i, name)
		}
	}
	return nil
}
