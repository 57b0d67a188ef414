package finetune

import (
	"context"
	"fmt"
	"math"
	"path/filepath"

	"github.com/onnx-graft/graft/finetune/dataset"
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

// DefaultTolerance is how far an answer of the written model, a logit or a number, may be from the one that was judged: 1e-4,
// and ten times that for each power of ten by which the answers are larger than 10 in the root mean square, as prices are:
// float32 has seven digits in any unit. For numbers it is a tenth of that for each power of ten they are smaller than 1 by, too.
// It holds for backbones in 8-bit integers: as a row does not depend on its batch, they round alike before and after export
// (measured on a QDQ MobileNet: 4e-6).
func DefaultTolerance(answers heads.Matrix, problem Problem) float64 {
	var squares float64
	for _, v := range answers.Data {
		squares += float64(v) * float64(v)
	}
	size := math.Sqrt(squares / float64(max(len(answers.Data), 1)))
	digits := -4
	switch {
	case math.IsInf(size, 0):
	case size > 10:
		digits += int(math.Ceil(math.Log10(size / 10)))
	case problem == Regression && size > 0 && size < 1:
		digits += int(math.Ceil(math.Log10(size)))
	}
	return math.Pow10(digits)
}

// liveRows is how many held-out inputs a proof runs whatever the cache knows of the same file.
const liveRows = 32

// VerifySettings say how a written model is compared.
type VerifySettings struct {
	Tolerance float64 // largest difference of an answer; 0: [DefaultTolerance]
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

// Verify opens the folder's model.onnx and preprocessing again, runs examples through them, and compares the logits with
// want, a row for each that the folder's task makes of the examples. It returns a [VerifyError] where they are further
// apart than the tolerance, or decide otherwise.
//
// With a cache, rows that this very file, by its digest, has answered before under the same runtime count as answered; the
// first 32 are run in any case.
func Verify[T any](ctx context.Context, rt onnx.Runtime, dir string, open Opener[T], examples []dataset.Example[T], want heads.Matrix, s VerifySettings) (VerifyResult, error) {
	c, err := loadClassifier(dir, open)
	if err != nil {
		return VerifyResult{}, fmt.Errorf("finetune: verify: what was just written: %w", err)
	}
	defer c.Close()
	orQuiet(s.Extract.Progress).Start(Verifying, len(examples))
	var both errgroup.Group
	both.Go(func() (err error) {
		c.session, err = onnx.NewFileSession(rt, filepath.Join(dir, modelFile), c.model)
		return err
	})
	c.settings = s.Extract
	c.settings.digest = ""
	if s.Extract.Cache != nil {
		both.Go(func() (err error) {
			c.settings.digest, err = modelDigest(c.model)
			return err
		})
	}
	if err := both.Wait(); err != nil {
		return VerifyResult{}, fmt.Errorf("finetune: verify: %w", err)
	}
	got, err := c.answers(ctx, examples, liveRows)
	if err != nil {
		return VerifyResult{}, fmt.Errorf("finetune: verify: %w", err)
	}
	rows, err := c.form.rows(c.Preprocessor, examples)
	if err != nil {
		return VerifyResult{}, fmt.Errorf("finetune: verify: %w", err)
	}
	return compareLogits(modelFile, got, want, c.goal, func(i int) string { return examples[exampleOf(rows, i)].ID }, s.Tolerance)
}

// verifyHead runs the head alone in another runtime, on at most 1024 rows.
func verifyHead(ctx context.Context, rt onnx.Runtime, head heads.Head, x, want heads.Matrix, opset int64, g goal, tolerance float64) error {
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
		heads.Matrix{Rows: n, Cols: want.Cols, Data: want.Data[:n*want.Cols]}, g, func(i int) string { return fmt.Sprint("row ", i) }, tolerance)
	return err
}

// compareLogits returns how far got is from want, and a [VerifyError] where that is too far.
func compareLogits(what string, got, want heads.Matrix, g goal, name func(row int) string, tolerance float64) (VerifyResult, error) {
	if got.Rows != want.Rows || got.Cols != want.Cols {
		return VerifyResult{}, fmt.Errorf("finetune: verify: %s gives %d×%d logits, want %d×%d", what, got.Rows, got.Cols, want.Rows, want.Cols)
	}
	if tolerance == 0 {
		tolerance = DefaultTolerance(want, g.problem())
	}
	r := VerifyResult{ArgmaxEqual: true, Rows: want.Rows}
	worst := 0
	for i := range want.Rows {
		g1, w1 := got.Row(i), want.Row(i)
		for k := range w1 {
			if d := math.Abs(float64(g1[k]) - float64(w1[k])); !(d <= r.MaxAbsDiff) {
				r.MaxAbsDiff, worst = d, i
			}
		}
		r.ArgmaxEqual = r.ArgmaxEqual && g.alike(g1, w1, tolerance)
	}
	if r.MaxAbsDiff <= tolerance && r.ArgmaxEqual {
		return r, nil
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
