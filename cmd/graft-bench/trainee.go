package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/onnx-graft/graft/finetune/optim"
	"github.com/onnx-graft/graft/finetune/tune"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
	"github.com/onnx-graft/graft/onnx/ort"
)

// A training is what both sides train, with the data in a folder of arrays: ids.npy and lengths.npy, or pixels.npy, and
// classes.npy, weight.npy, bias.npy.
type training struct {
	Kind        string   `json:"kind"` // text or image
	Model       string   `json:"model"`
	Folder      string   `json:"folder"`
	Unfreeze    string   `json:"unfreeze"`
	Trainable   []string `json:"trainable"` // the same for PyTorch: prefixes of names
	Rank        int      `json:"rank"`      // of LoRA; 0: none
	Batch       int      `json:"batch"`
	Steps       int      `json:"steps"` // in all
	Rate        float64  `json:"rate"`
	HeadScale   float64  `json:"head_scale"`
	Decay       float64  `json:"decay"`
	Clip        float64  `json:"clip"`
	Threads     int      `json:"threads"`
	OnnxRuntime string   `json:"onnxruntime"`
}

// stepped is what some steps came to.
type stepped struct {
	Seconds []float64 `json:"seconds"`
	Losses  []float64 `json:"losses"`
	Rows    [][]int   `json:"rows"` // of each step's batch
	CPU     float64   `json:"cpu"`  // seconds of all cores, of all steps
}

// loaded is what loading came to: the first step, and for graft the frozen layers.
type loaded struct {
	stepped
	Frozen   float64           `json:"frozen"`  // seconds the frozen layers took, once
	Trained  int               `json:"trained"` // numbers
	Versions map[string]string `json:"versions"`
}

// A trainee is one run of package tune that makes a step when it is told to.
type trainee struct {
	steps  chan tune.Step
	goOn   chan struct{}
	done   chan error
	cancel context.CancelFunc
	rows   []int // of the batch under way
	result *tune.Result
	frozen frozenClock
}

// frozenClock takes the time of the stage in which the frozen layers run, from its first report on.
type frozenClock struct {
	first, last     time.Time
	begun, done, of int
}

func (f *frozenClock) note(s tune.Step) {
	now := time.Now()
	if f.of == 0 {
		f.first, f.begun, f.of = now, s.Done, s.Of
	}
	f.last, f.done = now, s.Done
}

func (f *frozenClock) seconds() float64 {
	if f.done <= f.begun {
		return 0
	}
	return f.last.Sub(f.first).Seconds() * float64(f.done) / float64(f.done-f.begun)
}

func (t *trainee) do(ctx context.Context, what string, args json.RawMessage) (any, error) {
	switch what {
	case "load":
		var job training
		if err := json.Unmarshal(args, &job); err != nil {
			return nil, err
		}
		return t.load(ctx, job)
	case "steps":
		var a struct {
			N int `json:"n"`
		}
		if err := json.Unmarshal(args, &a); err != nil {
			return nil, err
		}
		return t.advance(a.N)
	case "reset":
		return nil, resetPeak()
	case "memory":
		mb, err := peakMemory()
		return map[string]float64{"mb": mb}, err
	case "finish":
		if err := t.finish(); err != nil {
			return nil, err
		}
		return map[string]int{"trained": t.result.Trained}, nil
	}
	return nil, fmt.Errorf("no such request: %s", what)
}

// load starts the run and returns after its first step.
func (t *trainee) load(ctx context.Context, job training) (loaded, error) {
	runtime.GOMAXPROCS(job.Threads)
	rt, err := ort.Open(ctx, ort.Settings{Library: job.OnnxRuntime, Offline: true, Threads: job.Threads})
	if err != nil {
		return loaded{}, err
	}
	p, settings, err := t.problem(job)
	if err != nil {
		return loaded{}, err
	}
	t.steps, t.goOn, t.done = make(chan tune.Step), make(chan struct{}), make(chan error, 1)
	ctx, t.cancel = context.WithCancel(ctx)
	settings.Progress = func(s tune.Step) {
		if s.Stage == tune.Freezing {
			t.frozen.note(s)
			return
		}
		select {
		case t.steps <- s:
		case <-ctx.Done():
			return
		}
		select {
		case <-t.goOn:
		case <-ctx.Done():
		}
	}
	go func() {
		var err error
		t.result, err = tune.Run(ctx, rt, p, settings)
		t.done <- err
	}()
	first, err := t.wait()
	if err != nil {
		return loaded{}, err
	}
	return loaded{stepped: stepped{Losses: []float64{first.Loss}, Rows: [][]int{t.rows}}, Frozen: t.frozen.seconds()}, nil
}

// wait waits for the step under way.
func (t *trainee) wait() (tune.Step, error) {
	select {
	case s := <-t.steps:
		return s, nil
	case err := <-t.done:
		t.done <- err
		return tune.Step{}, cmp.Or(err, errors.New("the run has ended"))
	}
}

// advance makes n steps.
func (t *trainee) advance(n int) (stepped, error) {
	var out stepped
	before := processorTime()
	for range n {
		start := time.Now()
		t.goOn <- struct{}{}
		s, err := t.wait()
		if err != nil {
			return out, err
		}
		out.Seconds = append(out.Seconds, time.Since(start).Seconds())
		out.Losses = append(out.Losses, s.Loss)
		out.Rows = append(out.Rows, t.rows)
	}
	out.CPU = processorTime() - before
	return out, nil
}

// finish lets a run that has made all its steps end.
func (t *trainee) finish() error {
	close(t.goOn)
	for {
		select {
		case <-t.steps:
			return errors.New("the run has not made all its steps")
		case err := <-t.done:
			t.done <- err
			return err
		}
	}
}

// stop ends a run that is under way.
func (t *trainee) stop() {
	if t.cancel != nil {
		t.cancel()
		<-t.done
	}
}

// problem is the job as package tune takes it: no dropout, a constant rate, every example once an epoch.
func (t *trainee) problem(job training) (*tune.Problem, tune.Settings, error) {
	file := func(name string) string { return filepath.Join(job.Folder, name+".npy") }
	class, _, err := readNpy[int64](file("classes"))
	if err != nil {
		return nil, tune.Settings{}, err
	}
	weight, shape, err := readNpy[float32](file("weight"))
	if err != nil {
		return nil, tune.Settings{}, err
	}
	bias, _, err := readNpy[float32](file("bias"))
	if err != nil {
		return nil, tune.Settings{}, err
	}
	p := &tune.Problem{Weight: heads.Matrix{Rows: shape[0], Cols: shape[1], Data: weight}, Bias: bias, Loss: autodiff.CrossEntropy{}}
	if p.Model, p.Examples, err = openTraining(job, file); err != nil {
		return nil, tune.Settings{}, err
	}
	for i := range class {
		p.Train = append(p.Train, i)
	}
	p.Targets = func(rows []int) (*onnx.Tensor, error) {
		t.rows = slices.Clone(rows)
		classes := make([]int, len(rows))
		for i, r := range rows {
			classes[i] = int(class[r])
		}
		return autodiff.CrossEntropy{}.Targets(classes, len(bias), 0, nil)
	}
	unfreeze, err := tune.ParseUnfreeze(job.Unfreeze)
	perEpoch := (len(class) + job.Batch - 1) / job.Batch
	return p, tune.Settings{
		Unfreeze: unfreeze, LoRA: tune.LoRA{Rank: job.Rank}, Epochs: (job.Steps + perEpoch - 1) / perEpoch, BatchSize: job.Batch,
		LearningRate: job.Rate, HeadScale: job.HeadScale, WeightDecay: job.Decay, Clip: job.Clip,
		Warmup: -1, Schedule: optim.Constant, Dropout: -1, Seed: 1,
	}, err
}
