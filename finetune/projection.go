package finetune

import (
	"math"

	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/floats"

	"github.com/onnx-graft/graft/heads"
)

// How much a projection looks at: components are found on some rows and drawn for more.
const (
	projectedRows = 1500
	componentRows = 400
)

// A plane is the two directions in which rows of features differ most: their first principal components.
type plane struct {
	mean      []float64
	axes      [2][]float32
	explained [2]float64 // share of the variance
}

// everySo returns at most `most` numbers below n, spread evenly, ascending.
func everySo(n, most int) []int {
	out := make([]int, min(n, most))
	for i := range out {
		out[i] = i * n / len(out)
	}
	return out
}

// principal finds the plane of the rows from the n×n products of n of them, which have the same leading directions.
func principal(x heads.Matrix) plane {
	rows := everySo(x.Rows, componentRows)
	n, d := len(rows), x.Cols
	p := plane{mean: make([]float64, d)}
	for _, r := range rows {
		for j, v := range x.Row(r) {
			p.mean[j] += float64(v) / float64(n)
		}
	}
	centred := make([]blas32.Vector, n)
	for i, r := range rows {
		centred[i] = blas32.Vector{N: d, Inc: 1, Data: make([]float32, d)}
		for j, v := range x.Row(r) {
			centred[i].Data[j] = v - float32(p.mean[j])
		}
	}
	products, trace := make([]float64, n*n), 0.0
	for i := range n {
		for j := range i + 1 {
			v := float64(blas32.Dot(centred[i], centred[j]))
			products[i*n+j], products[j*n+i] = v, v
		}
		trace += products[i*n+i]
	}
	for k, v := range leading(products, n) {
		axis := blas32.Vector{N: d, Inc: 1, Data: make([]float32, d)}
		for i, row := range centred {
			blas32.Axpy(float32(v.at[i]), row, axis)
		}
		if length := blas32.Nrm2(axis); length > 0 {
			blas32.Scal(1/length, axis)
		}
		p.axes[k] = axis.Data
		if trace > 0 {
			p.explained[k] = v.value / trace
		}
	}
	return p
}

// An eigen is an eigenvalue and its vector, of length 1.
type eigen struct {
	value float64
	at    []float64
}

// leading returns the two largest eigenvalues of a symmetric n×n matrix without negative ones, by iterating four vectors.
func leading(m []float64, n int) [2]eigen {
	const width, rounds = 4, 30
	var vectors [width][]float64
	for k := range vectors {
		vectors[k] = make([]float64, n)
		for i := range n { // anything that is not at right angles to what is sought, the same each time
			vectors[k][i] = math.Sin(float64((i+1)*(k+1)) * 1.37)
		}
	}
	var values [width]float64
	for range rounds {
		for k, v := range vectors {
			next := make([]float64, n)
			for i := range n {
				next[i] = floats.Dot(m[i*n:(i+1)*n], v)
			}
			for _, before := range vectors[:k] {
				floats.AddScaled(next, -floats.Dot(next, before), before)
			}
			if values[k] = math.Sqrt(floats.Dot(next, next)); values[k] > 0 {
				floats.Scale(1/values[k], next)
			}
			vectors[k] = next
		}
	}
	return [2]eigen{{values[0], vectors[0]}, {values[1], vectors[1]}}
}

// at returns where a row lies in the plane.
func (p plane) at(row []float32) (x, y float64) {
	for j, v := range row {
		c := float64(v) - p.mean[j]
		x += c * float64(p.axes[0][j])
		y += c * float64(p.axes[1][j])
	}
	return x, y
}
