package finetune

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/onnx-graft/graft/heads"
)

// TestPrincipal compares the plane with gonum's principal components.
func TestPrincipal(t *testing.T) {
	const n, d = 300, 20
	rng := rand.New(rand.NewPCG(1, 1))
	x, dense := heads.NewMatrix(n, d), mat.NewDense(n, d, nil)
	for i := range n {
		for j := range d {
			v := float32(rng.NormFloat64() * []float64{5, 3, 1}[min(j, 2)])
			x.Row(i)[j] = v + float32(j)
		}
		x.Row(i)[7] += x.Row(i)[0] // the directions are not the axes
		for j := range d {
			dense.Set(i, j, float64(x.Row(i)[j]))
		}
	}
	var pc stat.PC
	if !pc.PrincipalComponents(dense, nil) {
		t.Fatal("gonum found no components")
	}
	var vectors mat.Dense
	pc.VectorsTo(&vectors)
	variance, total := pc.VarsTo(nil), 0.0
	for _, v := range variance {
		total += v
	}
	p := principal(x)
	for k := range 2 {
		along := 0.0
		for j := range d {
			along += float64(p.axes[k][j]) * vectors.At(j, k)
		}
		if math.Abs(along) < 0.9999 {
			t.Errorf("axis %d lies %g along gonum's", k, along)
		}
		if math.Abs(p.explained[k]-variance[k]/total) > 1e-4 {
			t.Errorf("axis %d explains %g, want %g", k, p.explained[k], variance[k]/total)
		}
	}
	if again := principal(x); again.axes[0][3] != p.axes[0][3] || again.axes[1][5] != p.axes[1][5] {
		t.Error("the same rows give another plane")
	}
}

// Rows that are all the same, and rows of one feature, have no plane worth drawing and break nothing.
func TestPrincipalOfNothing(t *testing.T) {
	p := principal(heads.NewMatrix(5, 3))
	if x, y := p.at([]float32{0, 0, 0}); x != 0 || y != 0 || p.explained != [2]float64{} {
		t.Errorf("%v %v %v", x, y, p.explained)
	}
}
