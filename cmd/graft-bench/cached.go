package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// benchCache measures how long features take that are all in the cache: each content is digested, found, read and checked.
func benchCache(ctx context.Context, b *bench) (report, error) {
	var out report
	const width, most = 384, 0.15
	n := b.size(100_000, 10_000)
	dir, err := os.MkdirTemp("", "graft-bench-*")
	if err != nil {
		return out, err
	}
	defer os.RemoveAll(dir)
	backbone, err := numbersBackbone(width)
	if err != nil {
		return out, err
	}
	xs := make([]int, n)
	for i := range xs {
		xs[i] = i
	}
	s := finetune.ExtractSettings{Cache: &finetune.Cache{Dir: dir}, RuntimeID: "bench", Batch: 256}
	want, _, err := finetune.Extract(ctx, b.rt.With(1), backbone, xs, s)
	if err != nil {
		return out, err
	}
	var seconds []float64
	for range b.times(9) {
		start := time.Now()
		got, stats, err := finetune.Extract(ctx, b.rt.With(1), backbone, xs, s)
		if err != nil {
			return out, err
		}
		seconds = append(seconds, time.Since(start).Seconds())
		if err := sameRows(got, want, stats); err != nil {
			return out, err
		}
		b.say("  %.0f ms", seconds[len(seconds)-1]*1e3)
	}
	out.rows = []row{{
		Work: fmt.Sprintf("%d cached rows × %d read and checked", n, width), Unit: "s", Graft: spreadOf(seconds), Goal: atMost(most),
		Note: fmt.Sprintf("%.0f MB; the files were written by the same process and lie in the system's cache", float64(4*n*width)/1e6),
	}}
	return out, nil
}

func sameRows(got, want heads.Matrix, stats finetune.ExtractStats) error {
	if stats.Cached != stats.Rows {
		return fmt.Errorf("%d of %d rows were in the cache", stats.Cached, stats.Rows)
	}
	return agree("cached rows", got.Data, want.Data, 0)
}

// numbersBackbone is a small model of whole numbers: features that cost nothing to compute.
func numbersBackbone(width int) (*finetune.Backbone[int], error) {
	m := &onnx.Model{IRVersion: 9, Opsets: []onnx.Opset{{Version: 17}}, Graph: &onnx.Graph{Name: "numbers"}}
	build := onnx.NewBuilder(m)
	x := build.Input("x", onnx.Float32, onnx.Param("batch"), onnx.Known(1))
	weight := make([]float32, width)
	for i := range weight {
		weight[i] = float32(i + 1)
	}
	build.Output(build.MatMul(x, build.Const("weight", onnx.NewTensor("", weight, 1, int64(width)))), "features")
	return &finetune.Backbone[int]{Name: "numbers", Task: finetune.TextClassification, Model: m, Feature: "features", Preprocessor: numbers{}}, build.Err()
}

// numbers prepares whole numbers.
type numbers struct{}

func (numbers) Feeds(batch []int) (onnx.Feeds, error) {
	data := make([]float32, len(batch))
	for i, x := range batch {
		data[i] = float32(x)
	}
	return onnx.Feeds{"x": onnx.NewTensor("x", data, int64(len(batch)), 1)}, nil
}

func (numbers) Content(x int) ([]byte, error) {
	return binary.LittleEndian.AppendUint64(nil, uint64(x)), nil
}
func (numbers) Fingerprint() string { return "numbers" }
