package finetune

import (
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/onnx"
)

// toyWords is a Preprocessor that needs no runtime in C to go with it: counts of words, hashed into a few columns.
type toyWords struct {
	cols int
	salt string // part of the hash; an exported folder keeps it in toy.txt
}

func (p toyWords) Feeds(batch []string) (onnx.Feeds, error) {
	x := make([]float32, len(batch)*p.cols)
	for i, text := range batch {
		for _, word := range strings.Fields(text) {
			sum := sha256.Sum256([]byte(p.salt + word))
			weight := float32(1)
			if strings.HasPrefix(word, "number") {
				weight = 0.1
			}
			x[i*p.cols+int(sum[0])%p.cols] += weight * (1 + float32(sum[1])/256)
		}
	}
	return onnx.Feeds{"x": onnx.NewTensor("x", x, int64(len(batch)), int64(p.cols))}, nil
}

func (p toyWords) Content(x string) ([]byte, error) { return []byte(x), nil }
func (p toyWords) Fingerprint() string              { return fmt.Sprintf("toy words, %d, %q", p.cols, p.salt) }

// toyBackbone is a small random network, relu(x·W + b), in opset 13.
func toyBackbone(t testing.TB) *Backbone[string] {
	t.Helper()
	const in, out = 97, 64
	rng := rand.New(rand.NewPCG(1, 2))
	w, bias := make([]float32, in*out), make([]float32, out)
	for i := range w {
		w[i] = float32(rng.NormFloat64() / math.Sqrt(in))
	}
	m := &onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 13}}, Graph: &onnx.Graph{Name: "toy"}}
	b := onnx.NewBuilder(m)
	x := b.Input("x", onnx.Float32, onnx.Param("batch"), onnx.Known(in))
	y := b.Relu(b.Gemm(x, b.Const("w", onnx.NewTensor("w", w, in, out)), b.Const("b", onnx.NewTensor("b", bias, out)), false))
	b.Output(y, "features")
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	m.Graph.Outputs[0].Shape = onnx.Shape{onnx.Param("batch"), onnx.Known(out)}
	pre := toyWords{cols: in, salt: "salt"}
	return &Backbone[string]{
		Name: "toy", Task: TextClassification, Model: m, Feature: "hidden", Preprocessor: pre,
		Files:  map[string][]byte{"toy.txt": []byte(pre.salt)},
		Config: map[string]any{"model_type": "bert", "hidden_size": out, "architectures": []string{"BertModel"}},
		Reopen: func(dir string, m *onnx.Model) (Preprocessor[string], error) {
			salt, err := os.ReadFile(filepath.Join(dir, "toy.txt"))
			return toyWords{cols: in, salt: string(salt)}, err
		},
	}
}

// toyData is texts of three classes, told apart by some of their words.
func toyData(n int) dataset.Split[string] {
	labels := []string{"fruit", "metal", "river"}
	words := map[string][]string{
		"fruit": {"apple", "pear", "plum", "cherry", "quince"},
		"metal": {"iron", "copper", "zinc", "silver", "tin"},
		"river": {"rhine", "nile", "volga", "seine", "elbe"},
	}
	rng := rand.New(rand.NewPCG(3, 4))
	s := dataset.Split[string]{Name: "toy data", Kind: dataset.Texts, Labels: labels}
	for i := range n {
		label := labels[i%3]
		text := fmt.Sprintf("the %s and number%d", words[label][rng.IntN(5)], i)
		if rng.IntN(10) == 0 {
			text = fmt.Sprintf("nothing to go by in number%d", i)
		}
		e := dataset.Example[string]{ID: fmt.Sprintf("toy.csv:%d", i+2), Input: text, Label: label, Digest: sha256.Sum256([]byte(text))}
		switch i % 5 {
		case 0:
			s.Test = append(s.Test, e)
		case 1:
			s.Validation = append(s.Validation, e)
		default:
			s.Train = append(s.Train, e)
		}
	}
	return s
}
