package onnx

import (
	"fmt"
	"math"
	"slices"
)

// A Pooling says how N×L×D becomes N×D.
type Pooling string

const (
	PoolMean Pooling = "mean" // mean over the tokens that the mask has
	PoolCLS  Pooling = "cls"  // the first token
	PoolMax  Pooling = "max"  // maximum over the tokens that the mask has
	PoolLast Pooling = "last" // the last token that the mask has, as causal models want it
	PoolNone Pooling = "none" // features are N×D already
	// PoolTokens keeps a row for each token: the output is N×L×D. It is for models that answer for each token.
	PoolTokens Pooling = "tokens"
)

// Poolings lists the ways to pool.
var Poolings = []Pooling{PoolMean, PoolCLS, PoolMax, PoolLast, PoolNone, PoolTokens}

// FeatureOptions say how [MakeBackbone] makes features; the zero value takes the mean over all tokens.
type FeatureOptions struct {
	Pooling   Pooling // of N×L×D; default PoolMean
	Mask      string  // the input, N×L of 1 for a token and 0 for padding, that pooling goes by; added where the graph has none of that name; default: every token counts
	Normalize bool    // divide each row by its Euclidean norm; tokens stay as they are
	Name      string  // of the output; default "features"
}

// MakeBackbone cuts m at f and makes it a backbone: after it the model has one output, N×D float32, or N×L×D where tokens
// are kept. f's zero value stands
// for the first of [Features]. N×C×H×W (or N×H×W×C, where the graph shows it) is averaged over H and W; N×L×D is pooled as
// o says, the way sentence-transformers does: the mean is Σ mask·x / max(Σ mask, 1e-9), masked places count as -1e9 for
// the maximum, and a row is divided by max(‖x‖, 1e-12). Float16 and quantised features are converted. Training modes are
// switched off, and a batch dimension that the file fixes is made free. m is edited even where an error is returned.
func MakeBackbone(m *Model, f Feature, o FeatureOptions) (*Value, error) {
	if f.Tensor == "" {
		found := Features(m)
		if len(found) == 0 {
			return nil, fmt.Errorf("onnx: backbone: no tensor of the graph looks like features; name one")
		}
		f = found[0]
	}
	if o.Pooling != "" && !slices.Contains(Poolings, o.Pooling) {
		return nil, fmt.Errorf("onnx: backbone: no pooling %q; there are %q", o.Pooling, Poolings)
	}
	mask := m.inputNamed(o.Mask)
	x := NewIndex(m.Graph)
	quantised := x.quantisedBy(f.Tensor)
	layoutLast := x.channelsLast(f.Tensor)
	keep := []string{f.Tensor}
	if t := x.Type(f.Tensor); quantised != nil && (t == Uint8 || t == Int8) {
		for k := 1; k < 3 && quantised.Input(k) != ""; k++ {
			keep = append(keep, quantised.Input(k))
		}
	}
	if err := Cut(m, keep...); err != nil {
		return nil, err
	}
	DisableTraining(m)
	if err := MakeBatchDynamic(m); err != nil {
		return nil, err
	}
	m.Graph.Outputs = nil
	b := NewBuilder(m)
	v := b.Value(f.Tensor)
	if len(keep) > 1 {
		in := []*Value{v}
		for _, parameter := range keep[1:] {
			in = append(in, b.Value(parameter))
		}
		v = b.Op("DequantizeLinear", in)
	}
	p := pooler{b.Scope("features"), o, mask}
	v = p.rows(b.Cast(v, Float32), f, layoutLast)
	if o.Normalize && o.Pooling != PoolTokens {
		v = p.normalized(v)
	}
	name := o.Name
	if name == "" {
		name = "features"
	}
	v = b.Output(v, name)
	if b.Err() == nil {
		m.Graph.Outputs[0].Shape = p.outputShape(v, f)
	}
	return v, b.Err()
}

// inputNamed returns a copy of the graph input of that name, nil where there is none.
func (m *Model) inputNamed(name string) *Value {
	for _, v := range m.Graph.Inputs {
		if v.Name == name {
			return v.clone()
		}
	}
	return nil
}

// A pooler emits the nodes that make rows of features.
type pooler struct {
	*Builder
	options FeatureOptions
	mask    *Value // the mask input as it was before the cut; nil: none
}

// rows makes v N×D.
func (p *pooler) rows(v *Value, f Feature, channelsLast bool) *Value {
	if !p.live(v) {
		return nil
	}
	rank := len(v.Shape)
	if v.Shape == nil {
		rank = f.Rank
	}
	switch {
	case p.options.Pooling == PoolTokens && rank != 3:
		return p.failf("%q has shape %v: it has no row for each token, N×L×D", f.Tensor, v.Shape)
	case rank == 2:
		return v
	case rank == 3:
		return p.tokens(v)
	case rank == 4 && channelsLast:
		return p.ReduceMean(v, false, 1, 2)
	case rank == 4 && v.Shape != nil && v.Shape[2].is(1) && v.Shape[3].is(1):
		return p.Flatten(v, 1)
	case rank == 4:
		return p.Flatten(p.GlobalAveragePool(v), 1)
	}
	return p.failf("%q has shape %v, or one that is not known; features are N×D, N×L×D or N×C×H×W", f.Tensor, v.Shape)
}

// tokens pools N×L×D.
func (p *pooler) tokens(v *Value) *Value {
	masked := p.options.Mask != ""
	switch p.options.Pooling {
	case PoolTokens:
		return v
	case PoolNone:
		return p.failf("%q is N×L×D: it needs a pooling, not %q", v.Name, PoolNone)
	case PoolCLS:
		return p.Gather(v, p.Int(0), 1)
	case PoolLast:
		if masked {
			return p.ReduceSum(p.Mul(v, p.lastToken(p.maskOf())), false, 1)
		}
		return p.Gather(v, p.Int(-1), 1)
	case PoolMax:
		if masked {
			const outside = -1e9
			m := p.maskOf()
			if p.Opset() >= 9 {
				v = p.Where(p.Cast(m, Bool), v, p.Float(outside))
			} else {
				v = p.Add(v, p.Mul(p.Sub(p.Float(1), m), p.Float(outside)))
			}
		}
		return p.ReduceMax(v, false, 1)
	}
	if !masked {
		return p.ReduceMean(v, false, 1)
	}
	m := p.maskOf()
	count := p.atLeast(p.ReduceSum(m, false, 1), 1e-9)
	return p.Div(p.ReduceSum(p.Mul(v, m), false, 1), count)
}

// maskOf returns the mask as float32 N×L×1.
func (p *pooler) maskOf() *Value {
	name := p.options.Mask
	if !p.index.Has(name) {
		in := p.mask
		if in == nil {
			in = &Value{Name: name, Type: Int64, Shape: Shape{Param("batch_size"), Param("sequence_length")}}
			for _, other := range p.model.Graph.Inputs {
				if len(other.Shape) == 2 {
					in.Shape = slices.Clone(other.Shape)
					break
				}
			}
		}
		if len(in.Shape) == 2 {
			in.Shape[0] = p.batch()
		}
		p.Input(name, in.Type, in.Shape...)
	}
	return p.Unsqueeze(p.Cast(p.Value(name), Float32), 2)
}

// lastToken keeps of an N×L×1 mask the last 1 of each row: where no 1 follows.
func (p *pooler) lastToken(mask *Value) *Value {
	if p.Opset() < 11 {
		return p.failf("pooling the last token takes CumSum, which came with opset 11; the model imports %d: upgrade it first",
			p.Opset())
	}
	from := p.Op("CumSum", []*Value{mask, p.Int(1)}, IntAttr("reverse", 1)) // ones from here on
	return p.Mul(mask, p.Cast(p.Less(from, p.Float(1.5)), Float32))
}

// normalized divides rows by their Euclidean norm.
func (p *pooler) normalized(v *Value) *Value {
	if !p.live(v) {
		return nil
	}
	return p.Div(v, p.atLeast(p.ReduceL2(v, true, 1), 1e-12))
}

func (p *pooler) atLeast(v *Value, low float32) *Value { return p.Clip(v, low, math.MaxFloat32) }

// batch is how the model's first input calls its batch dimension.
func (p *pooler) batch() Dim {
	for _, in := range p.model.Graph.Inputs {
		if len(in.Shape) > 1 {
			return in.Shape[0]
		}
	}
	return Param("batch_size")
}

// outputShape is N×D with what is known of either.
func (p *pooler) outputShape(v *Value, f Feature) Shape {
	d := Dim{}
	if n := len(v.Shape); n > 1 && v.Shape[n-1].Known {
		d = v.Shape[n-1]
	} else if f.Dim > 0 {
		d = Known(f.Dim)
	}
	if p.options.Pooling == PoolTokens {
		length := Param("sequence_length")
		if len(v.Shape) == 3 {
			length = v.Shape[1]
		}
		return Shape{p.batch(), length, d}
	}
	return Shape{p.batch(), d}
}
