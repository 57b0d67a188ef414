package finetune

import (
	"context"
	"fmt"
	"math"
	"path/filepath"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
	"golang.org/x/sync/errgroup"
)

// Names of files in an exported folder.
const (
	modelFile  = "model.onnx"
	configFile = "config.json"
	cardFile   = "README.md"
	recordFile = "run.json"
)

// DefaultTolerance is how far a logit of the written model may be from the one that was judged. It holds for backbones in
// 8-bit integers too: as a row does not depend on its batch, they round alike before and after export (measured on a QDQ
// MobileNet: 4e-6).
const DefaultTolerance = 1e-4

// liveRows is how many held-out inputs a proof runs whatever the cache knows of the same file.
const liveRows = 32

// VerifySettings say how a written model is compared.
type VerifySettings struct {
	Tolerance float64 // largest difference of a logit; 0: [DefaultTolerance]
	Extract   ExtractSettings
}

// A VerifyResult is how far the written model was from the answers that were judged.
type VerifyResult struct {
	MaxAbsDiff  float64 `json:"max_abs_diff"` // of all logits
	ArgmaxEqual bool    `json:"argmax_equal"` // every row has the same class, ties within the tolerance aside
	Rows        int     `json:"rows"`
}

// A VerifyError says that a written model does not answer as the one that was judged.
type VerifyError struct {
	VerifyResult
	What      string  // what was compared: "model.onnx", "the head alone"
	Tolerance float64 // what would have been well
	Row       string  // the example furthest off
}

func (e *VerifyError) Error() string {
	flips := ""
	if !e.ArgmaxEqual {
		flips = ", and other classes"
	}
	return fmt.Sprintf("finetune: verify: %s gives logits up to %.3g from those judged%s (worst: %s; allowed: %.3g)",
		e.What, e.MaxAbsDiff, flips, e.Row, e.Tolerance)
}

// Verify opens the folder's model.onnx and preprocessing again, runs inputs through them, and compares the logits with
// want, N×K. It returns a [VerifyError] where they are further apart than the tolerance, or a class differs.
//
// With a cache, rows that this very file, by its digest, has answered before under the same runtime count as answered; the
// first 32 are run in any case.
func Verify[T any](ctx context.Context, rt onnx.Runtime, dir string, open Opener[T], xs []T, want heads.Matrix, s VerifySettings) (VerifyResult, error) {
	m, err := onnx.Load(filepath.Join(dir, modelFile))
	if err != nil {
		return VerifyResult{}, fmt.Errorf("finetune: verify: %w", err)
	}
	defer m.Close()
	pre, err := open(dir, m)
	if err != nil {
		return VerifyResult{}, fmt.Errorf("finetune: verify: the preprocessing just written: %w", err)
	}
	e := extraction[T]{
		name: "classifier", model: m, output: logitsOutput, cols: want.Cols, pre: pre, xs: xs, live: liveRows,
	}
	orQuiet(s.Extract.Progress).Start(Verifying, len(xs))
	var both errgroup.Group
	both.Go(func() (err error) {
		e.session, err = rt.NewSession(m)
		return err
	})
	s.Extract.digest = ""
	if s.Extract.Cache != nil {
		both.Go(func() (err error) {
			s.Extract.digest, err = modelDigest(m)
			return err
		})
	}
	err = both.Wait()
	defer e.close()
	if err != nil {
		return VerifyResult{}, fmt.Errorf("finetune: verify: %w", err)
	}
	got, _, err := e.run(ctx, s.Extract)
	if err != nil {
		return VerifyResult{}, fmt.Errorf("finetune: verify: %w", err)
	}
	return compareLogits(modelFile, got, want, s)
}

// verifyHead runs the head alone in another runtime, on at most 1024 rows.
func verifyHead(ctx context.Context, rt onnx.Runtime, head heads.Head, x, want heads.Matrix, opset int64, s VerifySettings) error {
	n := min(x.Rows, 1024)
	m, err := headGraph(head, x.Cols, opset)
	if err != nil {
		return fmt.Errorf("finetune: verify: the head alone: %w", err)
	}
	session, err := rt.NewSession(m)
	if err != nil {
		return fmt.Errorf("finetune: verify: the head alone: %w", err)
	}
	defer session.Close()
	in := onnx.NewTensor("features", x.Data[:n*x.Cols], int64(n), int64(x.Cols))
	out, err := session.Run(ctx, onnx.Feeds{"features": in}, logitsOutput)
	if err != nil {
		return fmt.Errorf("finetune: verify: the head alone: %w", err)
	}
	got, err := onnx.View[float32](out[0])
	if err != nil || len(got) != n*want.Cols {
		return fmt.Errorf("finetune: verify: the head alone gave %v, want %d×%d numbers: %w", out[0].Shape, n, want.Cols, err)
	}
	_, err = compareLogits("the head alone", heads.Matrix{Rows: n, Cols: want.Cols, Data: got},
		heads.Matrix{Rows: n, Cols: want.Cols, Data: want.Data[:n*want.Cols]}, s)
	return err
}

// compareLogits returns how far got is from want, and a [VerifyError] where that is too far.
func compareLogits(what string, got, want heads.Matrix, s VerifySettings) (VerifyResult, error) {
	if got.Rows != want.Rows || got.Cols != want.Cols {
		return VerifyResult{}, fmt.Errorf("finetune: verify: %s gives %d×%d logits, want %d×%d", what, got.Rows, got.Cols, want.Rows, want.Cols)
	}
	tolerance := s.Tolerance
	if tolerance == 0 {
		tolerance = DefaultTolerance
	}
	r := VerifyResult{ArgmaxEqual: true, Rows: want.Rows}
	worst := 0
	for i := range want.Rows {
		g, w := got.Row(i), want.Row(i)
		for k := range w {
			if d := math.Abs(float64(g[k]) - float64(w[k])); !(d <= r.MaxAbsDiff) {
				r.MaxAbsDiff, worst = d, i
			}
		}
		if a, b := argmax(g), argmax(w); a != b && math.Abs(float64(w[a])-float64(w[b])) > tolerance {
			r.ArgmaxEqual = false
		}
	}
	if r.MaxAbsDiff <= tolerance && r.ArgmaxEqual {
		return r, nil
	}
	name := s.Extract.Name
	if name == nil {
		name = func(i int) string { return fmt.Sprint("row ", i) }
	}
	return r, &VerifyError{VerifyResult: r, What: what, Tolerance: tolerance, Row: name(worst)}
}

// argmax returns the first of a row's largest elements.
func argmax(row []float32) int {
	best := 0
	for k, v := range row {
		if v > row[best] {
			best = k
		}
	}
	return best
}
