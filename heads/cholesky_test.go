package heads

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestCholeskySolves(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 1))
	for _, c := range []struct{ d, width int }{{16, 1}, {64, 16}, {96, 1}, {176, 48}, {144, 16}} {
		x := Matrix{Rows: 3 * c.d, Cols: c.d, Data: normals(r, 3*c.d*c.d)}
		g, err := gram(t.Context(), x, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.d {
			g[i*c.d+i] += 5
		}
		f := factorise(narrow(g), c.d)
		if f == nil {
			t.Fatalf("%d: not positive definite", c.d)
		}
		b := normals(r, c.d*c.width)
		v := append([]float32(nil), b...)
		f.solve(v, make([]float32, len(v)), c.width)
		for i := range c.d {
			for k := range c.width {
				var sum float64
				for j := range c.d {
					sum += g[i*c.d+j] * float64(v[j*c.width+k])
				}
				if math.Abs(sum-float64(b[i*c.width+k])) > 1e-3 {
					t.Fatalf("%d×%d: row %d column %d of A·x is %v, want %v", c.d, c.width, i, k, sum, b[i*c.width+k])
				}
			}
		}
	}
	if factorise([]float32{15: 0, 255: 0}, 16) != nil {
		t.Error("a matrix of zeros has a factor")
	}
}

// The Gram matrix against sums in float64, in both its forms.
func TestGram(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 1))
	x := Matrix{Rows: 300, Cols: 80, Data: normals(r, 300*80)}
	w := make([]float64, x.Rows)
	for i := range w {
		w[i] = float64(i % 3)
	}
	g, err := gram(t.Context(), x, w)
	if err != nil {
		t.Fatal(err)
	}
	o, err := outer(t.Context(), x, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range [][2]int{{0, 0}, {3, 70}, {70, 3}, {79, 48}, {47, 48}} {
		var sum, product float64
		for i := range x.Rows {
			sum += w[i] * float64(x.Row(i)[at[0]]) * float64(x.Row(i)[at[1]])
		}
		for j := range x.Cols {
			product += math.Sqrt(w[at[0]]*w[at[1]]) * float64(x.Row(at[0])[j]) * float64(x.Row(at[1])[j])
		}
		if got := g[at[0]*x.Cols+at[1]]; math.Abs(got-sum) > 1e-3 {
			t.Errorf("Gram %v: %v, want %v", at, got, sum)
		}
		if got := o[at[0]*x.Rows+at[1]]; math.Abs(got-product) > 1e-3 {
			t.Errorf("outer %v: %v, want %v", at, got, product)
		}
	}
}
