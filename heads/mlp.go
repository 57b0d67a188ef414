package heads

import (
	"cmp"
	"context"
	"math"
	"strconv"

	"github.com/onnx-graft/graft/onnx"
)

// MLP is a small neural network on standardised features, for every task: cross-entropy of a softmax for classes, of
// sigmoids for labels, squared error for values. It is trained by AdamW (Loshchilov & Hutter 2019) on shuffled batches,
// and keeps the weights of the epoch that was best on rows held out from training (with fewer than 20 rows, on its own).
type MLP struct {
	Hidden      []int       // sizes of one or two hidden layers; nil: one of 256
	Activation  Activation  // "": GELU
	Dropout     float64     // probability of dropping a hidden number in training, 0 to below 1
	Rate        float64     // learning rate; 0: 1e-3
	Decay       float64     // weight decay; 0: 1e-2, negative: none
	Batch       int         // rows a step; 0: 128
	Epochs      int         // at most; 0: 200
	Patience    int         // epochs without improvement before it stops; 0: 10
	Holdout     float64     // share of rows held out, below 1; 0: 0.1
	ClassWeight ClassWeight // for classes; zero: all rows count alike
	Smoothing   float64     // for classes: label smoothing, as of Logistic
	Seed        uint64      // of weights, batches, dropout and held-out rows

	fitted *perceptron
	epochs int
}

// Fit implements [Head].
func (h *MLP) Fit(ctx context.Context, x Matrix, y Targets) error {
	h.fitted = nil
	o, err := h.options()
	if err != nil {
		return err
	}
	if err := y.check(x, y.Task()); err != nil {
		return err
	}
	weights := make([]float64, x.Rows)
	for i := range weights {
		weights[i] = y.weight(i)
	}
	if y.Task() == Classification {
		if weights, err = h.ClassWeight.rowWeights(y); err != nil {
			return err
		}
	}
	s, err := newScaling(ctx, x, y.Weights)
	if err != nil {
		return err
	}
	var kept []int
	for i, w := range weights {
		if w > 0 {
			kept = append(kept, i)
		}
	}
	z, err := s.apply(ctx, x.Subset(kept))
	if err != nil {
		return err
	}
	t := newTask(y.Subset(kept), subset(weights, kept), o.Smoothing)
	n, epochs, err := o.train(ctx, z, x.Cols, t)
	if err != nil {
		return err
	}
	h.fitted, h.epochs = newPerceptron(n, s, t, append([]int{x.Cols}, o.Hidden...)), epochs
	return nil
}

func subset(v []float64, rows []int) []float64 {
	out := make([]float64, len(rows))
	for i, r := range rows {
		out[i] = v[r]
	}
	return out
}

// options returns h with defaults in place of zeros.
func (h *MLP) options() (MLP, error) {
	o := *h
	if len(o.Hidden) == 0 {
		o.Hidden = []int{256}
	}
	o.Rate, o.Decay, o.Holdout = cmp.Or(o.Rate, 1e-3), max(0, cmp.Or(o.Decay, 1e-2)), cmp.Or(o.Holdout, 0.1)
	o.Batch, o.Epochs, o.Patience = cmp.Or(o.Batch, 128), cmp.Or(o.Epochs, 200), cmp.Or(o.Patience, 10)
	bad := func(field string, value any, want string) (MLP, error) {
		return o, &SettingError{Field: "MLP." + field, Value: value, Want: want}
	}
	for i, size := range o.Hidden {
		if size < 1 || i > 1 {
			return bad("Hidden", o.Hidden, "one or two sizes of 1 or more")
		}
	}
	switch {
	case o.Activation != "" && o.Activation != GELU && o.Activation != ReLU:
		return bad("Activation", string(o.Activation), `"gelu" or "relu"`)
	case !(o.Dropout >= 0 && o.Dropout < 1):
		return bad("Dropout", o.Dropout, "0 to below 1")
	case !(o.Smoothing >= 0 && o.Smoothing < 1):
		return bad("Smoothing", o.Smoothing, "0 to below 1")
	case !(o.Rate > 0) || math.IsInf(o.Rate, 0):
		return bad("Rate", o.Rate, "a number above 0")
	case !(o.Holdout > 0 && o.Holdout < 1):
		return bad("Holdout", o.Holdout, "above 0 and below 1, or 0 for 0.1")
	case o.Batch < 1 || o.Epochs < 1 || o.Patience < 1:
		return bad("Batch, Epochs, Patience", strconv.Itoa(o.Batch)+", "+strconv.Itoa(o.Epochs)+", "+strconv.Itoa(o.Patience), "numbers of 1 or more")
	}
	return o, nil
}

// Ran is the number of epochs of the last Fit.
func (h *MLP) Ran() int { return h.epochs }

// Predict implements [Head].
func (h *MLP) Predict(x Matrix) (Matrix, error) {
	if h.fitted == nil {
		return Matrix{}, ErrNotFitted
	}
	return h.fitted.predict(x)
}

// Emit implements [Head]: Gemms with the activation between them, standardisation folded into the first.
func (h *MLP) Emit(b *onnx.Builder, features *onnx.Value) (*onnx.Value, error) {
	if h.fitted == nil {
		return nil, ErrNotFitted
	}
	for i, l := range h.fitted.layers {
		var err error
		if features, err = l.emit(b, features); err != nil {
			return nil, err
		}
		if i+1 == len(h.fitted.layers) {
			break
		}
		if h.fitted.activation == ReLU {
			features = b.Relu(features)
		} else {
			features = b.Gelu(features)
		}
	}
	return features, b.Err()
}

// A perceptron is a fitted MLP: affine maps with an activation between them.
type perceptron struct {
	activation Activation
	layers     []*affine
}

// newPerceptron reads the layers off a net, folds the standardisation into the first and the targets' scale into the
// last. sizes are those of features and hidden layers.
func newPerceptron(n *net, s *scaling, t *task, sizes []int) *perceptron {
	p := &perceptron{activation: n.activation}
	for i, l := range n.layers {
		outs := t.outs
		if i+1 < len(sizes) {
			outs = sizes[i+1]
		}
		w, b := make([]float64, outs*sizes[i]), make([]float64, outs)
		for k := range outs {
			b[k] = float64(l.bias[k])
			for j := range sizes[i] {
				w[k*sizes[i]+j] = float64(l.weight[j*l.out+k])
			}
		}
		if i+1 == len(n.layers) {
			t.unscale(w, b)
		}
		if i == 0 {
			p.layers = append(p.layers, newAffine(s, w, b))
		} else {
			p.layers = append(p.layers, &affine{cols: sizes[i], outs: outs, weight: narrow(w), bias: narrow(b)})
		}
	}
	return p
}

func (p *perceptron) predict(x Matrix) (Matrix, error) {
	for i, l := range p.layers {
		var err error
		if x, err = l.predict(x); err != nil {
			return Matrix{}, err
		}
		if i+1 < len(p.layers) {
			p.activation.apply(x.Data, nil, x.Data)
		}
	}
	return x, nil
}
