package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/vision"
)

// benchImage measures features of JPEG files with ResNet-18, decoding included, nothing cached.
func benchImage(ctx context.Context, b *bench) (report, error) {
	var out report
	files, err := b.pictures("flowers")
	if err != nil {
		return out, err
	}
	files = sample(files, b.size(384, 48))
	pictures := make([]vision.Picture, len(files))
	for i, f := range files {
		if files[i], err = filepath.Abs(f); err != nil {
			return out, err
		}
		pictures[i] = vision.Picture{Path: files[i]}
	}
	backbone, bb, err := b.resnet()
	if err != nil {
		return out, err
	}
	defer backbone.Model.Close()
	rt := &warm{Runtime: b.rt.With(1)}
	defer rt.close()
	var features heads.Matrix
	entrants := []contestant{{"graft", func(ctx context.Context) (timing, error) {
		return clock(func() error {
			features, _, err = finetune.Extract(ctx, rt, bb, pictures, finetune.ExtractSettings{Workers: b.threads})
			return err
		})
	}}}
	raws, err := rawImage(ctx, b, backbone, pictures)
	for _, l := range raws {
		defer l.close()
		entrants = append(entrants, l.contestant())
	}
	if err != nil {
		return out, err
	}
	var peers []*pythonPeer
	if b.python == "" {
		out.leftOut = append(out.leftOut, "PyTorch and Pillow: no Python")
	} else {
		p, err := b.startPython(ctx, "PyTorch and Pillow", "image")
		if err != nil {
			return out, err
		}
		defer p.close()
		if err := p.load(map[string]any{"model": b.resnetFile(), "files": files, "threads": b.threads}); err != nil {
			return out, err
		}
		peers, entrants = append(peers, p), append(entrants, p.contestant("run", nil))
	}
	times, err := b.interleave(ctx, b.times(7), entrants)
	if err != nil {
		return out, err
	}
	for _, l := range raws {
		if err := rawSame(ctx, l, features); err != nil {
			return out, err
		}
	}
	work := fmt.Sprintf("ResNet-18 (to layer3) features of %d JPEG files of flowers", len(files))
	n := float64(len(files))
	mine, loop, frugal := times[0], times[1], times[len(raws)]
	for _, p := range peers {
		if err := b.checkFeatures(p, features); err != nil {
			return out, err
		}
		theirs := per(n, times[1+len(raws)].walls())
		out.rows = append(out.rows, compare(work, "images/s", per(n, mine.walls()), p.title, theirs,
			ratios(per(n, mine.walls()), theirs), "times as fast", atLeast(1.7), p.about))
	}
	out.rows = append(out.rows,
		compare(work, "images/s", per(n, mine.walls()), "raw ONNX Runtime loop", per(n, loop.walls()), ratios(loop.walls(), mine.walls()), "times as fast", nil, "prepared tensors: "+raws[0].about))
	if mine[0].CPU > 0 {
		out.rows = append(out.rows, compare(work+", CPU time of all cores", "s", mine.cpus(), "raw ONNX Runtime loop", frugal.cpus(),
			ratios(mine.cpus(), frugal.cpus()), "of the loop's", atMost(1.2), "prepared tensors, in a loop whose threads never wait for one another: "+raws[len(raws)-1].about))
	}
	out.environment = versions(peers)
	return out, nil
}

func (b *bench) resnetFile() string { return b.asset("vision-models", "resnet18_layer3", "model.onnx") }

// resnet opens the image backbone.
func (b *bench) resnet() (*vision.Backbone, *finetune.Backbone[vision.Picture], error) {
	backbone, err := vision.Open(b.resnetFile(), vision.Settings{})
	if err != nil {
		return nil, nil, err
	}
	bb, err := finetune.NewBackbone("ResNet-18", finetune.ImageClassification, backbone.Model, backbone.Feature.Tensor, backbone, vision.OpenPreprocessor)
	return backbone, bb, err
}

// checkFeatures compares a peer's features with graft's. The decoders of JPEG files differ by a few levels of 255.
func (b *bench) checkFeatures(p *pythonPeer, features heads.Matrix) error {
	dir, err := os.MkdirTemp("", "graft-bench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return p.check(filepath.Join(dir, "features.npy"), features.Data, 1e-4)
}

// rawImage makes the fastest loop over prepared tensors there is and, where that is another, the fastest with a caller for
// each thread: threads that share an operator spin while they wait, which costs processor time.
func rawImage(ctx context.Context, b *bench, backbone *vision.Backbone, pictures []vision.Picture) ([]*rawLoop, error) {
	m, err := onnx.Load(b.resnetFile())
	if err != nil {
		return nil, err
	}
	defer m.Close()
	const output, width = "features", 256
	var cuttings []cutting
	for _, batch := range []int{1, 4, 8, 16} {
		var batches []rawBatch
		for lo := 0; lo < len(pictures); lo += batch {
			part := pictures[lo:min(lo+batch, len(pictures))]
			feeds, err := backbone.Feeds(part)
			if err != nil {
				return nil, err
			}
			rows := make([]int, len(part))
			for i := range rows {
				rows[i] = lo + i
			}
			batches = append(batches, rawBatch{feeds: feeds, rows: rows, shape: []int64{int64(len(part)), width}, size: len(part) * width})
		}
		cuttings = append(cuttings, cutting{fmt.Sprintf("batch %d", batch), batches})
	}
	best, err := fastestRaw(ctx, b, m, output, cuttings, 1, b.threads)
	if err != nil {
		return nil, err
	}
	if best.workers == b.threads {
		return []*rawLoop{best}, nil
	}
	frugal, err := fastestRaw(ctx, b, m, output, cuttings, b.threads)
	if err != nil {
		return []*rawLoop{best}, err
	}
	return []*rawLoop{best, frugal}, nil
}

// rawSame checks that the raw loop gives the features.
func rawSame(ctx context.Context, raw *rawLoop, features heads.Matrix) error {
	got := heads.NewMatrix(features.Rows, features.Cols)
	err := raw.run(ctx, func(b rawBatch, out []float32) {
		for i, row := range b.rows {
			copy(got.Row(row), out[i*features.Cols:])
		}
	})
	if err != nil {
		return err
	}
	return agree("raw ONNX Runtime", got.Data, features.Data, 1e-4)
}
