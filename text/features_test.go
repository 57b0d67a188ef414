package text_test

import (
	"bufio"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/onnxtest"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
	"github.com/onnx-graft/graft/text"
)

// The numbers of testdata/minilm_features.py.
const (
	featureDim  = 384
	projections = 16
	tolerance   = 1e-4
)

type featureReference struct {
	Rows      [][2]any
	Projected [][]float64
	Full      map[string][]float64
}

// TestFeaturesOfSentenceTransformers compares the features of 500 texts with those sentence-transformers 6.2 makes in
// PyTorch, written down by testdata/minilm_features.py.
func TestFeaturesOfSentenceTransformers(t *testing.T) {
	data, err := os.ReadFile("testdata/minilm_features.json")
	if err != nil {
		t.Fatal(err)
	}
	var want featureReference
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	texts := referenceTexts(t, want.Rows)
	b, err := text.Open(onnxtest.Shared(t, "assets", "text-models", "minilm-l6"), text.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	got := features(t, b, texts)
	worst := 0.0
	for i, row := range got {
		var sum float64
		for p := range projections {
			sum += square(project(row, p) - want.Projected[i][p])
		}
		distance := math.Sqrt(sum / projections * featureDim)
		worst = max(worst, distance)
		if distance > tolerance {
			t.Errorf("row %d (%v): about %.2g away", i, want.Rows[i], distance)
		}
		for k, x := range want.Full[strconv.Itoa(i)] {
			if d := math.Abs(float64(row[k]) - x); d > tolerance {
				t.Fatalf("row %d: feature %d is off by %.2g", i, k, d)
			}
		}
	}
	t.Logf("%d texts, largest distance of a row about %.2g", len(got), worst)
}

func square(x float64) float64 { return x * x }

// project is the scalar product with row p of the reference's fixed vectors of ±1/√384.
func project(row []float32, p int) float64 {
	var sum float64
	for i, x := range row {
		z := uint64(p*featureDim+i+1) * 0x9E3779B97F4A7C15
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		if (z^z>>31)&1 == 1 {
			sum += float64(x)
		} else {
			sum -= float64(x)
		}
	}
	return sum / math.Sqrt(featureDim)
}

// referenceTexts reads the texts whose places the reference names.
func referenceTexts(t *testing.T, rows [][2]any) []string {
	t.Helper()
	files := map[string][]string{}
	texts := make([]string, len(rows))
	for i, place := range rows {
		name, index := place[0].(string), int(place[1].(float64))
		if files[name] == nil {
			f, err := os.Open(filepath.Join(onnxtest.Shared(t, "assets", "text-data", name), "test.tsv"))
			if err != nil {
				t.Fatal(err)
			}
			s := bufio.NewScanner(f)
			s.Buffer(nil, 1<<22)
			for s.Scan() {
				_, line, _ := strings.Cut(s.Text(), "\t")
				files[name] = append(files[name], line)
			}
			f.Close()
		}
		texts[i] = files[name][index+1]
	}
	return texts
}

// features runs a backbone over texts.
func features(t *testing.T, b *text.Backbone, texts []string) [][]float32 {
	t.Helper()
	s, err := orttest.Open(t).NewSession(b.Model)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	order := make([]int, len(texts)) // by length, so that little is padding
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return b.Size(texts[i]) - b.Size(texts[j]) })
	rows := make([][]float32, len(texts))
	for chunk := range slices.Chunk(order, 16) {
		var part []string
		for _, i := range chunk {
			part = append(part, texts[i])
		}
		feeds, err := b.Feeds(part)
		if err != nil {
			t.Fatal(err)
		}
		out, err := s.Run(context.Background(), feeds)
		if err != nil {
			t.Fatal(err)
		}
		x, err := onnx.View[float32](out[0])
		if err != nil {
			t.Fatal(err)
		}
		for k, i := range chunk {
			rows[i] = x[k*featureDim : (k+1)*featureDim]
		}
	}
	return rows
}
