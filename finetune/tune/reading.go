package tune

import (
	"errors"
	"fmt"
	"slices"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
)

// Names of the inputs that say which tokens the head reads: the example's place in the batch, and the token's in the example.
const (
	tokenExample = "head/example"
	tokenPlace   = "head/token"
)

// perRow is how many examples a row has.
func (p *Problem) perRow() int {
	if p.Pairs {
		return 2
	}
	return 1
}

// examplesOf are the examples of rows in the order the backbone reads them: of pairs all first ones, then all second ones.
func (p *Problem) examplesOf(rows []int) []int {
	if !p.Pairs {
		return rows
	}
	examples := make([]int, 0, 2*len(rows))
	for second := range 2 {
		for _, r := range rows {
			examples = append(examples, 2*r+second)
		}
	}
	return examples
}

// sizes are those of the examples and, the larger of a pair, of the rows.
func (p *Problem) sizes() (examples, rows []int) {
	examples = make([]int, p.Examples.Len())
	rows = make([]int, len(examples)/p.perRow())
	for i := range examples {
		examples[i] = p.Examples.Size(i)
		row := i / p.perRow()
		rows[row] = max(rows[row], examples[i])
	}
	return examples, rows
}

// answers is how many rows of logits the head gives for rows.
func (p *Problem) answers(rows ...int) int {
	if p.Tokens == nil {
		return len(rows)
	}
	n := 0
	for _, r := range rows {
		n += len(p.Tokens[r])
	}
	return n
}

// read appends what the head reads of the backbone's output.
func (p *Problem) read(b *onnx.Builder, features *onnx.Value) *onnx.Value {
	switch {
	case p.Pairs:
		d := int64(p.Weight.Cols / 4)
		sides := b.Split(b.Reshape(features, 2, -1, d), 0, 1, 1)
		return heads.EmitPairs(b, b.Reshape(sides[0], -1, d), b.Reshape(sides[1], -1, d))
	case p.Tokens != nil:
		example := b.Input(tokenExample, onnx.Int64, onnx.Param("answers"))
		token := b.Input(tokenPlace, onnx.Int64, onnx.Param("answers"))
		length := b.Gather(b.Shape(features), b.Int(1), 0)
		flat := b.Reshape(features, -1, int64(p.Weight.Cols))
		return b.Gather(flat, b.Add(b.Mul(example, length), token), 0)
	}
	return features
}

// feedTokens adds the inputs that read asks for: tokens are those of each example of a batch.
func feedTokens(feeds onnx.Feeds, tokens [][]int) {
	var example, token []int64
	for i, list := range tokens {
		for _, at := range list {
			example, token = append(example, int64(i)), append(token, int64(at))
		}
	}
	n := int64(len(token))
	feeds[tokenExample] = onnx.NewTensor(tokenExample, example, n)
	feeds[tokenPlace] = onnx.NewTensor(tokenPlace, token, n)
}

// tokensOf are the tokens of the examples of a batch.
func (p *Problem) tokensOf(batch []int) [][]int {
	tokens := make([][]int, len(batch))
	for i, row := range batch {
		tokens[i] = p.Tokens[row]
	}
	return tokens
}

// feedProbe adds what a batch of examples has beside the backbone's inputs when only shapes matter: targets, dropout, and the
// first token over and over.
func (p *Problem) feedProbe(feeds onnx.Feeds) {
	answers := rowsOf(feeds) / p.perRow()
	if p.Tokens != nil {
		tokens := make([][]int, answers)
		tokens[0] = make([]int, probeTokens+answers)
		answers = len(tokens[0])
		feedTokens(feeds, tokens)
	}
	zeros := func(name string, cols int) {
		feeds[name] = onnx.NewTensor(name, make([]float32, answers*cols), int64(answers), int64(cols))
	}
	zeros(autodiff.TargetInput, p.Weight.Rows)
	zeros(dropoutMask, p.Weight.Cols)
}

// probeTokens, and one for each row of a probe, are as many as no other dimension is likely to have.
const probeTokens = 1013

// checkReading refuses problems whose rows are not what they say.
func (p *Problem) checkReading(s Settings) error {
	switch {
	case p.Pairs && p.Tokens != nil:
		return errors.New("tune: a head reads pairs, or tokens, not both")
	case p.Pairs && (p.Examples.Len()%2 != 0 || p.Weight.Cols%4 != 0):
		return fmt.Errorf("tune: pairs of %d examples and a head of %d features: want an even number, and 4 for each of the backbone's", p.Examples.Len(), p.Weight.Cols)
	case p.Tokens != nil && len(p.Tokens) != p.Examples.Len():
		return fmt.Errorf("tune: tokens of %d examples, want those of each of %d", len(p.Tokens), p.Examples.Len())
	case p.Tokens != nil && p.View != nil:
		return errors.New("tune: views of examples may move or drop the tokens that are read")
	case (p.Pairs || p.Tokens != nil) && s.Mixup > 0:
		return errors.New("tune: mixup mixes examples that have one answer each, not pairs or tokens")
	}
	for _, row := range slices.Concat(p.Train, p.Validation) {
		if p.answers(row) == 0 {
			return fmt.Errorf("tune: the head reads no token of row %d; leave it out", row)
		}
	}
	return nil
}
