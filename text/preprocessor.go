package text

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/onnx-graft/graft/onnx"
)

// A Preprocessor turns texts into the tensors that a text model's graph takes. After Bind it does not change and is safe
// for concurrent use.
type Preprocessor struct {
	Tokenizer *Tokenizer
	MaxLength int // longer texts are cut to so many tokens, special ones included

	folder *folder
	inputs []input
}

// defaultMaxLength is BERT's, for folders that say nothing.
const defaultMaxLength = 512

// OpenPreprocessor reads the preprocessing of a folder: that of a backbone, or of a classifier that was exported. Bind
// must tell it the model before it can make tensors.
func OpenPreprocessor(dir string) (*Preprocessor, error) { return OpenPreprocessorFS(os.DirFS(dir)) }

// OpenPreprocessorFS is [OpenPreprocessor] for a folder given as a file system.
func OpenPreprocessorFS(fsys fs.FS) (*Preprocessor, error) {
	f, err := openFolder(fsys)
	if err != nil {
		return nil, err
	}
	t, err := f.tokenizer("")
	if err != nil {
		return nil, err
	}
	p := &Preprocessor{Tokenizer: t, MaxLength: t.MaxLength, folder: f}
	if p.MaxLength == 0 {
		p.MaxLength = defaultMaxLength
	}
	return p, nil
}

// A role is what an input of a text model's graph is for.
type role uint8

const (
	inputIDs role = iota
	attentionMask
	tokenTypes
	positionIDs
)

// An input is an input of the graph.
type input struct {
	name string
	role role
	typ  onnx.DType
}

// roles are the names that exporters give inputs.
var roles = map[string]role{
	"input_ids": inputIDs, "input_ids:0": inputIDs, "input_word_ids": inputIDs, "input": inputIDs, "tokens": inputIDs,
	"attention_mask": attentionMask, "attention_mask:0": attentionMask, "input_mask": attentionMask,
	"token_type_ids": tokenTypes, "token_type_ids:0": tokenTypes, "segment_ids": tokenTypes, "input_type_ids": tokenTypes,
	"position_ids": positionIDs,
}

// Bind tells the preprocessor which inputs the model has. An input it cannot fill is an error that names it.
func (p *Preprocessor) Bind(m *onnx.Model) error {
	weights := map[string]bool{}
	for _, t := range m.Graph.Initializers {
		weights[t.Name] = true
	}
	p.inputs = p.inputs[:0]
	ids := 0
	for _, v := range m.Graph.Inputs {
		if weights[v.Name] {
			continue
		}
		r, ok := roles[strings.ToLower(v.Name)]
		if !ok {
			return &UnsupportedError{What: fmt.Sprintf("model input %q; a text model takes input_ids, and perhaps "+
				"attention_mask, token_type_ids, position_ids", v.Name)}
		}
		switch v.Type {
		case onnx.Int64, onnx.Int32, onnx.Float32:
		default:
			return &UnsupportedError{What: fmt.Sprintf("model input %q of %v; int64, int32 and float32 can be filled", v.Name, v.Type)}
		}
		if r == inputIDs {
			ids++
		}
		p.inputs = append(p.inputs, input{v.Name, r, v.Type})
	}
	if ids != 1 {
		return &UnsupportedError{What: fmt.Sprintf("a model with %d inputs for token ids; one is right", ids)}
	}
	return nil
}

// Size returns the number of tokens of a text, special ones included, after it is cut to MaxLength: the cost of running
// it. A text that cannot be encoded has size 0; Feeds tells why.
func (p *Preprocessor) Size(x string) int {
	n, err := p.Tokenizer.count(x, p.MaxLength)
	if err != nil {
		return 0
	}
	return n
}

// Content returns the bytes that identify a text.
func (p *Preprocessor) Content(x string) ([]byte, error) { return []byte(x), nil }

// Fingerprint identifies all that decides how texts become tensors: two preprocessors of the same fingerprint make the
// same tensors of the same batch.
func (p *Preprocessor) Fingerprint() string {
	h := sha256.New()
	t := p.Tokenizer
	fmt.Fprintf(h, "text 1\n%d %d %d %d\n", p.MaxLength, t.padSide, t.padID(), t.Truncation.Side)
	for _, in := range p.inputs {
		fmt.Fprintf(h, "%q %d %d\n", in.name, in.role, in.typ)
	}
	h.Write(t.source.tokenizer)
	return hex.EncodeToString(h.Sum(nil))
}

// Feeds returns the tensors of a batch of texts, each N×L where L is the length of the longest in tokens.
func (p *Preprocessor) Feeds(batch []string) (onnx.Feeds, error) {
	if len(p.inputs) == 0 {
		return nil, errors.New("text: the preprocessor is not bound to a model")
	}
	b := batchIDs{t: p.Tokenizer, limit: p.MaxLength}
	if err := b.encode(batch); err != nil {
		return nil, err
	}
	defer b.release()
	length := b.longest()
	feeds := onnx.Feeds{}
	for _, in := range p.inputs {
		feeds[in.name] = in.tensor(&b, len(batch), length)
	}
	return feeds, nil
}

// tensor makes the N×L tensor of an input.
func (in input) tensor(b *batchIDs, n, length int) *onnx.Tensor {
	switch in.typ {
	case onnx.Int32:
		return onnx.NewTensor(in.name, fillBatch[int32](in.role, b, n, length), int64(n), int64(length))
	case onnx.Float32:
		return onnx.NewTensor(in.name, fillBatch[float32](in.role, b, n, length), int64(n), int64(length))
	}
	return onnx.NewTensor(in.name, fillBatch[int64](in.role, b, n, length), int64(n), int64(length))
}

// fillBatch lays out what an input wants, row by row.
func fillBatch[T int32 | int64 | float32](r role, b *batchIDs, n, length int) []T {
	out := make([]T, n*length)
	if r == tokenTypes {
		return out
	}
	pad := T(b.t.padID())
	for i := range n {
		row, ids := out[i*length:(i+1)*length], b.row(i)
		from := 0
		if b.t.padSide == Left {
			from = length - len(ids)
		}
		if r == inputIDs {
			for k := range row {
				row[k] = pad
			}
		}
		for k, id := range ids {
			switch r {
			case inputIDs:
				row[from+k] = T(id)
			case attentionMask:
				row[from+k] = 1
			case positionIDs:
				row[from+k] = T(k)
			}
		}
	}
	return out
}
