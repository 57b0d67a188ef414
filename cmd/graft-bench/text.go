package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/text"
)

// benchText measures features of texts with MiniLM-L6, tokenising included, nothing cached.
func benchText(ctx context.Context, b *bench) (report, error) {
	var out report
	rows, err := b.lines("sst2/dev", "sst2/test", "banking77/test")
	if err != nil {
		return out, err
	}
	rows = sample(rows, b.size(3000, 300))
	texts := make([]string, len(rows))
	for i, r := range rows {
		texts[i] = r.text
	}
	folder := b.asset("text-models", "minilm-l6")
	backbone, err := text.Open(folder, text.Settings{})
	if err != nil {
		return out, err
	}
	defer backbone.Model.Close()
	bb, err := finetune.NewBackbone("MiniLM-L6", finetune.TextClassification, backbone.Model, backbone.Feature.Tensor, backbone, text.OpenPreprocessor)
	if err != nil {
		return out, err
	}
	rt := &warm{Runtime: b.rt.With(1)}
	defer rt.close()
	var features heads.Matrix
	entrants := []contestant{{"graft", func(ctx context.Context) (timing, error) {
		return clock(func() error {
			features, _, err = finetune.Extract(ctx, rt, bb, texts, finetune.ExtractSettings{Workers: b.threads})
			return err
		})
	}}}
	raw, err := rawText(ctx, b, folder, backbone, texts)
	if err != nil {
		return out, err
	}
	defer raw.close()
	entrants = append(entrants, raw.contestant())
	dir, err := os.MkdirTemp("", "graft-bench-*")
	if err != nil {
		return out, err
	}
	defer os.RemoveAll(dir)
	peers, leftOut, err := textPeers(ctx, b, folder, dir, texts)
	for _, p := range peers {
		defer p.close()
		entrants = append(entrants, p.contestant("run", nil))
	}
	if err != nil {
		return out, err
	}
	times, err := b.interleave(ctx, b.times(5), entrants)
	if err != nil {
		return out, err
	}
	if err := rawPooled(ctx, raw, features); err != nil {
		return out, err
	}
	for _, p := range peers {
		if err := p.check(filepath.Join(dir, "features.npy"), features.Data, 1e-4); err != nil {
			return out, err
		}
	}
	work := fmt.Sprintf("MiniLM-L6 features of %d texts of sst2 and banking77", len(texts))
	goals := []*goal{atLeast(0.95), atLeast(1.7), atLeast(2.8)}
	notes := []string{"batches tokenised and sorted beforehand, the file as published: " + raw.about}
	for _, p := range peers {
		notes = append(notes, p.about)
	}
	mine := per(float64(len(texts)), times[0].walls())
	for i, t := range times[1:] {
		other := per(float64(len(texts)), t.walls())
		out.rows = append(out.rows, compare(work, "texts/s", mine, peerNames(peers)[i], other, ratios(mine, other), "times as fast", goals[i], notes[i]))
	}
	out.environment, out.leftOut = versions(peers), leftOut
	return out, nil
}

func peerNames(peers []*pythonPeer) []string {
	names := []string{"raw ONNX Runtime loop"}
	for _, p := range peers {
		names = append(names, p.title)
	}
	return names
}

// compare makes a row of figures of the same rounds.
func compare(work, unit string, graft []float64, peer string, other, ratio []float64, means string, g *goal, note string) row {
	o, r := spreadOf(other), spreadOf(ratio)
	return row{Work: work, Unit: unit, Graft: spreadOf(graft), Peer: peer, Other: &o, Ratio: &r, Means: means, Goal: g, Note: note}
}

// rawText makes the fastest loop over the tokenised texts there is: of batches of up to so many tokens, padded or of one
// length each, with one session on all threads or a caller for each.
func rawText(ctx context.Context, b *bench, folder string, backbone *text.Backbone, texts []string) (*rawLoop, error) {
	m, err := onnx.Load(filepath.Join(folder, "onnx", "model.onnx"))
	if err != nil {
		return nil, err
	}
	defer m.Close()
	const output, width = "last_hidden_state", 384
	var cuttings []cutting
	for _, tokens := range []int{512, 1024, 2048} {
		for about, padded := range map[string]bool{"one length a batch": false, "padded": true} {
			batches, err := textBatches(backbone, texts, tokens, width, padded)
			if err != nil {
				return nil, err
			}
			cuttings = append(cuttings, cutting{fmt.Sprintf("%d tokens, %s", tokens, about), batches})
		}
	}
	return fastestRaw(ctx, b, m, output, cuttings, 1, b.threads)
}

// textBatches sorts texts by their number of tokens, longest first, and cuts them into batches of at most so many tokens.
func textBatches(backbone *text.Backbone, texts []string, tokens, width int, padded bool) ([]rawBatch, error) {
	sizes := make([]int, len(texts))
	order := make([]int, len(texts))
	for i, t := range texts {
		order[i], sizes[i] = i, backbone.Size(t)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sizes[b], sizes[a]) })
	var batches []rawBatch
	for len(order) > 0 {
		size, n := sizes[order[0]], 1
		for n < len(order) && (n+1)*size <= tokens && (padded || sizes[order[n]] == size) {
			n++
		}
		part := make([]string, n)
		for i, at := range order[:n] {
			part[i] = texts[at]
		}
		feeds, err := backbone.Feeds(part)
		if err != nil {
			return nil, err
		}
		batches = append(batches, rawBatch{feeds: feeds, rows: order[:n:n], shape: []int64{int64(n), int64(size), int64(width)}, size: n * size * width})
		order = order[n:]
	}
	return batches, nil
}

// rawPooled checks that pooling what the raw loop gives makes the features.
func rawPooled(ctx context.Context, raw *rawLoop, features heads.Matrix) error {
	pooled := heads.NewMatrix(features.Rows, features.Cols)
	err := raw.run(ctx, func(b rawBatch, out []float32) {
		mask, err := onnx.View[int64](b.feeds["attention_mask"])
		if err != nil {
			return // the rows stay zero and do not agree
		}
		tokens := int(b.shape[1])
		for i, row := range b.rows {
			meanToken(pooled.Row(row), out[i*tokens*features.Cols:], mask[i*tokens:(i+1)*tokens])
		}
	})
	if err != nil {
		return err
	}
	return agree("raw ONNX Runtime", pooled.Data, features.Data, 1e-5)
}

// meanToken sets dst to the mean of the tokens the mask lets through, divided by its length.
func meanToken(dst, tokens []float32, mask []int64) {
	sum, square := make([]float64, len(dst)), 0.0
	for t, m := range mask {
		for j := range sum {
			sum[j] += float64(m) * float64(tokens[t*len(dst)+j])
		}
	}
	for _, v := range sum {
		square += v * v
	}
	for j, v := range sum {
		dst[j] = float32(v / math.Sqrt(square))
	}
}

// textPeers starts sentence-transformers with both its backends.
func textPeers(ctx context.Context, b *bench, folder, dir string, texts []string) (peers []*pythonPeer, leftOut []string, err error) {
	titles := map[string]string{"onnx": "sentence-transformers, ONNX backend", "torch": "sentence-transformers, default backend"}
	for _, backend := range []string{"onnx", "torch"} {
		if b.python == "" {
			leftOut = append(leftOut, titles[backend]+": no Python")
			continue
		}
		p, err := b.startPython(ctx, titles[backend], "text")
		if err != nil {
			return peers, leftOut, err
		}
		peers = append(peers, p)
		args := map[string]any{"folder": folder, "backend": backend, "threads": b.threads, "texts": texts}
		if err := p.load(args); err != nil {
			return peers, leftOut, err
		}
	}
	return peers, leftOut, nil
}
