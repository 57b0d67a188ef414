// Package heads holds small models that learn on frozen features: an N×D matrix in, logits or values out.
//
// A head knows nothing of where its features came from. Fitting is in float64 where it decides anything, deterministic,
// and the same to the last bit whatever the number of cores; a fitted head writes itself as plain ai.onnx nodes.
package heads

import (
	"math"
	"strconv"
)

// A Matrix is N×D float32 numbers in row-major order: row i, one example, is Data[i*Cols:(i+1)*Cols].
// Functions of this package only read the matrices they are given.
type Matrix struct {
	Rows, Cols int
	Data       []float32
}

// NewMatrix returns a rows×cols matrix of zeros.
func NewMatrix(rows, cols int) Matrix {
	return Matrix{Rows: rows, Cols: cols, Data: make([]float32, rows*cols)}
}

// Row returns row i, which aliases m.
func (m Matrix) Row(i int) []float32 { return m.Data[i*m.Cols : (i+1)*m.Cols : (i+1)*m.Cols] }

// Subset returns a copy of the named rows, in the order named; a row may be named more than once.
func (m Matrix) Subset(rows []int) Matrix {
	s := NewMatrix(len(rows), m.Cols)
	for i, r := range rows {
		copy(s.Row(i), m.Row(r))
	}
	return s
}

// Check returns a [ShapeError] where m's data is not Rows×Cols numbers or has no column.
func (m Matrix) Check() error {
	if m.Rows < 0 || m.Cols <= 0 || m.Rows > math.MaxInt/m.Cols || m.Rows*m.Cols != len(m.Data) {
		return &ShapeError{What: "matrix", Got: shape(m.Rows, m.Cols) + " with " + strconv.Itoa(len(m.Data)) + " numbers",
			Want: "rows×columns numbers and at least one column"}
	}
	return nil
}

// checkFinite returns a [RowError] naming the first row of m that holds a NaN or an infinity.
func (m Matrix) checkFinite(what string) error {
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			if v-v != 0 {
				return &RowError{Row: i, Problem: what + " " + strconv.Itoa(j) + " is " + strconv.FormatFloat(float64(v), 'g', -1, 32)}
			}
		}
	}
	return nil
}

func shape(rows, cols int) string { return strconv.Itoa(rows) + "×" + strconv.Itoa(cols) }
