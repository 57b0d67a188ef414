package heads

import (
	"context"
	"math"
	"slices"
)

// A Path fits heads of one kind to one data set with one C after another, which costs little more than the hardest of
// the fits: what does not depend on C is done once, and a fit starts from the one with the nearest smaller C.
//
// x and y must not change while a Path is in use.
type Path struct {
	fit   func(c float64) (Head, error)
	start func(a *affine)
}

// roughTol is the Tol from which heads that are solved in closed form leave it at float32's precision.
const roughTol = 1e-3

// HasC tells whether heads of a kind have a C, so that a Path can be made of them.
func HasC(kind Kind) bool {
	at := slices.IndexFunc(kinds, func(k kindRow) bool { return k.kind == kind })
	return at >= 0 && slices.Contains(kinds[at].takes, "C")
}

// NewPath prepares the fits of the kind of head that [New] would make with these options, but for C. The context is that
// of the fits too.
func NewPath(ctx context.Context, kind Kind, x Matrix, y Targets, o Options) (*Path, error) {
	o.C = 0
	head, err := New(kind, y.Task(), o)
	if err != nil {
		return nil, err
	}
	switch h := head.(type) {
	case *Logistic:
		d, err := h.descent(ctx, x, y, copyBytes)
		return d.path(func(c float64, a *affine, f Fitted) Head {
			one := *h
			one.C, one.fitted, one.stats = c, a, f
			return &one
		}, o), err
	case *MultiLabelLogistic:
		d, err := h.descent(ctx, x, y, copyBytes)
		return d.path(func(c float64, a *affine, f Fitted) Head {
			one := *h
			one.C, one.fitted, one.stats = c, a, f
			return &one
		}, o), err
	case *LinearSVM:
		d, err := h.descent(ctx, x, y, copyBytes)
		return d.path(func(c float64, a *affine, f Fitted) Head {
			one := *h
			one.C, one.fitted, one.stats = c, a.times(h.Scale), f
			return &one
		}, o), err
	case *Ridge:
		r, err := h.prepare(ctx, x, y, copyBytes)
		return r.path(ctx, o, func(alpha float64, a *affine) Head { return &Ridge{Alpha: alpha, fitted: a, chosen: alpha} }), err
	case *RidgeClassifier:
		r, err := h.prepare(ctx, x, y, copyBytes)
		return r.path(ctx, o, func(alpha float64, a *affine) Head {
			return &RidgeClassifier{Alpha: alpha, ClassWeight: h.ClassWeight, Scale: h.Scale, fitted: a, chosen: alpha}
		}), err
	}
	return nil, &SettingError{Field: "Kind", Value: string(kind), Want: "a kind that has a C"}
}

// Fit returns the head fitted with this C, above 0.
func (p *Path) Fit(c float64) (Head, error) {
	if !(c > 0) || math.IsInf(c, 0) {
		return nil, &SettingError{Field: "C", Value: c, Want: "a number above 0"}
	}
	return p.fit(c)
}

// Start makes fits start from a head of the same kind that was fitted on similar data, where that saves anything.
func (p *Path) Start(h Head) {
	if a, ok := h.(interface{ affine() *affine }); ok && p.start != nil {
		p.start(a.affine())
	}
}

func (d *descent) path(head func(c float64, a *affine, f Fitted) Head, o Options) *Path {
	if d == nil {
		return nil
	}
	return &Path{start: d.from, fit: func(c float64) (Head, error) {
		a, f, err := d.to(c, o.Tol, o.MaxIter)
		if err != nil {
			return nil, err
		}
		return head(c, a, f), nil
	}}
}

func (r *leastSquares) path(ctx context.Context, o Options, head func(alpha float64, a *affine) Head) *Path {
	if r == nil {
		return nil
	}
	steps := refinements
	if o.Tol >= roughTol {
		steps = 0
	}
	return &Path{fit: func(c float64) (Head, error) {
		var s *solved
		var err error
		if o.Tol >= roughTol {
			s = r.roughly(alphaOf(c))
		}
		if s == nil {
			if s, err = r.solve(alphaOf(c)); err != nil {
				return nil, err
			}
		}
		a, err := s.affine(ctx, steps, o.Scale)
		if err != nil {
			return nil, err
		}
		return head(s.alpha, a), nil
	}}
}
