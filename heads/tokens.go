package heads

import (
	"fmt"
	"math"
	"strings"

	"github.com/onnx-graft/graft/onnx"
)

// EmitTokens appends h, fitted on one row a token, to the graph under b for a value of L tokens a sequence: N×L×D in,
// N×L×K out.
func EmitTokens(b *onnx.Builder, h Head, tokens *onnx.Value, d int) (*onnx.Value, error) {
	b = b.Scope("tokens")
	batch := b.Slice(b.Shape(tokens), []int64{0}, []int64{2}, []int64{0}) // N, L
	out, err := h.Emit(b, b.Reshape(tokens, -1, int64(d)))
	if err != nil {
		return nil, err
	}
	shape := b.Concat(0, batch, b.Ints(-1))
	return b.Op("Reshape", []*onnx.Value{out, shape}), b.Err()
}

// TagBIO returns the best BIO tags for a sequence of L tokens from their L×K logits, where labels names the K tags: the
// sequence with the highest sum of log-probabilities among those in which every I-x follows B-x or I-x (Viterbi 1967).
// Labels are "O", "B-type" or "I-type"; "O" must be among them.
func TagBIO(labels []string, logits Matrix) ([]string, error) {
	follows, err := bioRules(labels)
	if err != nil {
		return nil, err
	}
	k := len(labels)
	if err := logits.Check(); err != nil {
		return nil, err
	}
	if logits.Cols != k {
		return nil, &ShapeError{What: "logits of tokens", Got: shape(logits.Rows, logits.Cols), Want: fmt.Sprintf("%d columns, one for each label", k)}
	}
	score := make([]float64, k) // of the best sequence that ends here with tag j
	from := make([]int, logits.Rows*k)
	for i := range logits.Rows {
		next := make([]float64, k)
		for j, z := range logSoftmax(logits.Row(i)) {
			best := math.Inf(-1)
			for p := range k {
				if i == 0 && p > 0 {
					break
				}
				allowed := follows(p, j)
				if i == 0 {
					allowed = follows(-1, j)
				}
				if allowed && score[p] > best {
					best, from[i*k+j] = score[p], p
				}
			}
			next[j] = best + z
		}
		score = next
	}
	return backtrack(labels, score, from), nil
}

// bioRules checks the labels and returns whether tag j may follow tag i, −1 being the start.
func bioRules(labels []string) (func(i, j int) bool, error) {
	outside := false
	kind, inside := make([]string, len(labels)), make([]bool, len(labels))
	for j, l := range labels {
		if l == "O" {
			outside = true
			continue
		}
		mark, name, _ := strings.Cut(l, "-")
		if mark != "B" && mark != "I" || name == "" {
			return nil, fmt.Errorf("heads: label %d is %q, want O, B-type or I-type", j, l)
		}
		kind[j], inside[j] = name, mark == "I"
	}
	if !outside {
		return nil, fmt.Errorf("heads: no label O among %d labels", len(labels))
	}
	return func(i, j int) bool { return !inside[j] || i >= 0 && kind[i] == kind[j] }, nil
}

func logSoftmax(z []float32) []float64 {
	top, sum := math.Inf(-1), 0.0
	for _, v := range z {
		top = max(top, float64(v))
	}
	for _, v := range z {
		sum += math.Exp(float64(v) - top)
	}
	out := make([]float64, len(z))
	for j, v := range z {
		out[j] = float64(v) - top - math.Log(sum)
	}
	return out
}

// backtrack follows the best end to its start.
func backtrack(labels []string, score []float64, from []int) []string {
	k := len(labels)
	tags := make([]string, len(from)/k)
	at := 0
	for j, s := range score {
		if s > score[at] {
			at = j
		}
	}
	for i := len(tags) - 1; i >= 0; i-- {
		tags[i] = labels[at]
		at = from[i*k+at]
	}
	return tags
}
