package headstest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// emit returns a model that is h alone: input "features", N×cols, output "out".
func emit(h heads.Head, cols int) (*onnx.Model, error) {
	m := &onnx.Model{}
	b := onnx.NewBuilder(m)
	out, err := h.Emit(b, b.Input("features", onnx.Float32, onnx.Param("batch"), onnx.Known(int64(cols))))
	if err != nil {
		return nil, err
	}
	b.Output(out, "out")
	return m, b.Err()
}

// run computes m's output for x.
func run(t *testing.T, rt onnx.Runtime, m *onnx.Model, x heads.Matrix) heads.Matrix {
	t.Helper()
	s, err := rt.NewSession(m)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	feeds := onnx.Feeds{"features": onnx.NewTensor("features", x.Data, int64(x.Rows), int64(x.Cols))}
	out, err := s.Run(t.Context(), feeds, "out")
	if err != nil {
		t.Fatal(err)
	}
	if len(out[0].Shape) != 2 || out[0].Type != onnx.Float32 {
		t.Fatalf("the model's output is %v of shape %v, want a float32 matrix", out[0].Type, out[0].Shape)
	}
	data, err := onnx.View[float32](out[0])
	if err != nil {
		t.Fatal(err)
	}
	return heads.Matrix{Rows: int(out[0].Shape[0]), Cols: int(out[0].Shape[1]), Data: data}
}

// agrees compares h's predictions for x with what its graph computes.
func agrees(t *testing.T, s suite, h heads.Head, x heads.Matrix) {
	t.Helper()
	m, err := emit(h, x.Cols)
	if err != nil {
		t.Fatal(err)
	}
	if err := onnx.Check(m); err != nil {
		t.Fatal(err)
	}
	for _, n := range m.Graph.Nodes {
		if n.Domain != "" {
			t.Errorf("node %s is %s of domain %q, want plain ai.onnx", n.Name, n.OpType, n.Domain)
		}
	}
	for _, rows := range []int{x.Rows, 1} {
		part := heads.Matrix{Rows: rows, Cols: x.Cols, Data: x.Data[:rows*x.Cols]}
		close(t, fmt.Sprintf("graph, %d rows", rows), run(t, s.rt, m, part), predict(t, h, part), 1e-4)
	}
}

func emitted(t *testing.T, s suite) {
	for _, k := range []int{2, 5} {
		d := draw(s.task, 120, 9, k)
		held := draw(s.task, 37, 9, k)
		agrees(t, s, s.fit(t, d), held.x)
	}
}

func farFromZero(t *testing.T, s suite) {
	d := draw(s.task, 90, 6, 3)
	for i := range d.x.Rows {
		row := d.x.Row(i)
		for j := range row {
			row[j] = row[j]*[]float32{1, 1e-2, 1e3}[j%3] + []float32{3000, 50, -5e5}[j%3]
		}
	}
	h := s.fit(t, d)
	if score := d.score(predict(t, h, d.x)); score < 0.8 {
		t.Errorf("score on features far from 0 is %.3f, want 0.8 or more", score)
	}
	agrees(t, s, h, d.x)
}

func constant(t *testing.T, s suite) {
	d := draw(s.task, 90, 6, 3)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range d.x.Rows {
		row := d.x.Row(i)
		row[3], row[4] = 0, 7.25
		row[5] = 0.3 * (1 + float32(r.IntN(2))/(1<<23)) // constant but for rounding
	}
	h := s.fit(t, d)
	if score := d.score(predict(t, h, d.x)); score < 0.6 {
		t.Errorf("score is %.3f, want 0.6 or more", score)
	}
	agrees(t, s, h, d.x)
	held := d.clone()
	for i := range held.x.Rows { // new rows may differ where the old did not
		held.x.Row(i)[3] = 1
	}
	close(t, "a column that was constant", predict(t, h, held.x), predict(t, h, d.x), 1e-4)
}

func wide(t *testing.T, s suite) {
	d := draw(s.task, 20, 150, 3)
	h := s.fit(t, d)
	agrees(t, s, h, d.x)
}
