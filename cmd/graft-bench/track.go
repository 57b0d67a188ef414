package main

import (
	"context"
	"fmt"
	"maps"
	"os"
)

// trackSteps is how many steps are tracked, and trackTolerance how far a loss may be from PyTorch's, relative to it.
const (
	trackSteps     = 30
	trackTolerance = 1e-5
)

// benchTrack makes AdamW steps in graft and in PyTorch from the same weights on the same batches, and compares the losses. It
// is an error where they part.
func benchTrack(ctx context.Context, b *bench) (report, error) {
	out := report{environment: map[string]string{}}
	for _, l := range []lesson{
		{work: "MiniLM-L6, all weights", unfreeze: "all", trainable: []string{""}},
		{work: "MiniLM-L6, top 2 layers", unfreeze: "top:2", trainable: []string{"bert.encoder.layer.4.", "bert.encoder.layer.5."}},
		{work: "ResNet-18 (to layer3), last stage", unfreeze: "top:1", trainable: []string{"b.4.", "b.5."}, picture: true},
	} {
		if !b.wanted(l.work) {
			continue
		}
		r, environment, err := b.track(ctx, l)
		if err != nil {
			return out, fmt.Errorf("%s: %w", l.work, err)
		}
		out.rows = append(out.rows, r)
		maps.Copy(out.environment, environment)
		if !r.met() {
			return out, fmt.Errorf("%s: a loss is %.2g from PyTorch's, want at most %g", l.work, r.Graft.Median, trackTolerance)
		}
	}
	return out, nil
}

func (b *bench) track(ctx context.Context, l lesson) (row, map[string]string, error) {
	dir, err := os.MkdirTemp("", "graft-bench-*")
	if err != nil {
		return row{}, nil, err
	}
	defer os.RemoveAll(dir)
	batch := 16
	if l.picture {
		batch = 8
	}
	steps := b.size(trackSteps, 6)
	job, err := b.prepare(l, dir, steps*batch, batch, 0)
	if err != nil {
		return row{}, nil, err
	}
	job.Steps = steps
	if l.picture {
		// AdamW makes steps of full length of gradients that are nothing but rounding, of which a ReLU network has many: at
		// 5e-5 PyTorch's own two memory formats part by 1e-4 of the loss, and by 5e-5 and 7e-5 from float64. What is left of
		// that grows with the rate.
		job.Rate = 2e-6
	}
	pair, err := b.startPair(ctx, job)
	if err != nil {
		return row{}, nil, err
	}
	defer pair.close()
	mine, theirs, err := pair.steps(steps-1, nil)
	if err != nil {
		return row{}, nil, err
	}
	var finished struct {
		Trained int `json:"trained"`
	}
	if err := pair.graft.call("finish", nil, &finished); err != nil {
		return row{}, nil, err
	}
	if finished.Trained != pair.trained {
		return row{}, nil, fmt.Errorf("graft trained %d numbers, PyTorch %d", finished.Trained, pair.trained)
	}
	worst := apart(pair.first[0], pair.first[1])
	for i, loss := range mine.Losses {
		worst = max(worst, apart(loss, theirs.Losses[i]))
	}
	b.say("  %s: %d losses from %.4f to %.4f, at most %.2g apart", l.work, steps, pair.first[1], theirs.Losses[len(theirs.Losses)-1], worst)
	return row{
		Work: fmt.Sprintf("%s: losses of %d AdamW steps beside PyTorch's, relative difference", l.work, steps), Graft: spreadOf([]float64{worst}),
		Goal: atMost(trackTolerance), Note: fmt.Sprintf("%d numbers trained on both sides; batches of %d, clipping, rate %.0e, the head ten times as fast", pair.trained, batch, job.Rate),
	}, pair.versions, nil
}
