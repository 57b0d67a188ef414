package tune_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onnx-graft/graft/finetune/optim"
	"github.com/onnx-graft/graft/finetune/tune"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
)

// resumeDir is the environment variable that makes this test binary a run with checkpoints in that folder.
const resumeDir = "TUNE_TEST_RESUME"

// long is a run with everything a checkpoint must carry, and its checkpoints in dir.
func long(dir string) tune.Settings {
	return tune.Settings{
		Epochs: 4, BatchSize: 8, Accumulate: 2, LearningRate: 2e-3, HeadScale: 1, Average: 0.9, Seed: 5,
		Checkpoints: tune.Checkpoints{Dir: dir, Every: 3, Resume: true},
	}
}

// weights are all bytes of a result.
func weights(t *testing.T, r *tune.Result) []byte {
	t.Helper()
	data, err := r.Model.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Append(data, r.Weight.Data, r.Bias, r.Best, *r.History[len(r.History)-1].Loss)
}

func runLong(t *testing.T, s tune.Settings) *tune.Result {
	t.Helper()
	r, err := trainLong(context.Background(), t, s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func trainLong(ctx context.Context, t *testing.T, s tune.Settings) (*tune.Result, error) {
	t.Helper()
	return tune.Run(ctx, orttest.Open(t), newSample(300).problem(attention(t), 240), s)
}

// TestKilled: a run that was killed at any moment, again and again, ends in the bytes of the run that was left alone.
func TestKilled(t *testing.T) {
	want := weights(t, runLong(t, long("")))
	dir := filepath.Join(t.TempDir(), "checkpoints")
	began := time.Now()
	if out, err := inProcess(dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	whole := time.Since(began)
	if err := tune.RemoveCheckpoints(dir); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(9, uint64(time.Now().UnixNano())))
	kills, resumed := 0, 0
	for kills < 20 {
		for range 1 + r.IntN(4) {
			cmd := inProcess(dir)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(r.Float64() * float64(whole)))
			cmd.Process.Kill()
			cmd.Wait()
			kills++
		}
		got := runLong(t, long(dir))
		if got.Resumed > 0 {
			resumed++
		}
		if !bytes.Equal(weights(t, got), want) {
			t.Fatalf("after %d kills: other weights than the run left alone", kills)
		}
		if _, err := os.Stat(dir); err != nil {
			t.Fatal(err)
		}
		if err := tune.RemoveCheckpoints(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s is left behind", dir)
		}
	}
	t.Logf("%d kills within %v, %d ends reached from a checkpoint", kills, whole.Round(time.Millisecond), resumed)
	if resumed == 0 {
		t.Error("no run went on from a checkpoint")
	}
}

func inProcess(dir string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledInside$")
	cmd.Env = append(os.Environ(), resumeDir+"="+dir)
	return cmd
}

func TestKilledInside(t *testing.T) {
	dir := os.Getenv(resumeDir)
	if dir == "" {
		t.Skip("runs inside TestKilled")
	}
	runLong(t, long(dir))
}

// TestStopped: a run whose context ends leaves a checkpoint of that very step, each kind of optimizer goes on from it, and
// only so many checkpoints stay.
func TestStopped(t *testing.T) {
	for _, kind := range []optim.Kind{optim.KindAdamW, optim.KindSGD} {
		s := long("")
		s.Optimizer, s.Patience = kind, 2
		want := weights(t, runLong(t, s))
		s.Checkpoints = tune.Checkpoints{Dir: filepath.Join(t.TempDir(), "c"), Every: 4, Keep: 3, Resume: true}
		for _, at := range []int{1, 7, 22} {
			ctx, stop := context.WithCancel(context.Background())
			s.Progress = func(step tune.Step) {
				if step.Stage == tune.Training && step.Done >= at {
					stop()
				}
			}
			_, err := trainLong(ctx, t, s)
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("error %v, want context.Canceled", err)
			}
			if _, err := os.Stat(filepath.Join(s.Checkpoints.Dir, fmt.Sprintf("step-%08d", at))); err != nil {
				t.Error(err)
			}
		}
		if left, _ := filepath.Glob(filepath.Join(s.Checkpoints.Dir, "*")); len(left) != 3 {
			t.Errorf("checkpoints %v, want 3", left)
		}
		s.Progress = nil
		r := runLong(t, s)
		if r.Resumed != 22 || !bytes.Equal(weights(t, r), want) {
			t.Errorf("%s: resumed at step %d, other weights", kind, r.Resumed)
		}
	}
}

// TestOtherRun: a checkpoint of other settings, another backbone or other rows is refused, saying what differs; one that lies
// there unasked is not run over.
func TestOtherRun(t *testing.T) {
	rt, dir := orttest.Open(t), filepath.Join(t.TempDir(), "c")
	sample, m := newSample(100), attention(t)
	s := tune.Settings{Epochs: 1, Checkpoints: tune.Checkpoints{Dir: dir}}
	p := sample.problem(m, 80)
	p.Identity = map[string]string{"data": "these"}
	if _, err := tune.Run(context.Background(), rt, p, s); err != nil {
		t.Fatal(err)
	}
	var unfinished *tune.UnfinishedError
	if _, err := tune.Run(context.Background(), rt, p, s); !errors.As(err, &unfinished) {
		t.Errorf("error %v, want an UnfinishedError", err)
	}
	s.Checkpoints.Resume = true
	other := attention(t)
	other.Graph.Initializers[0].Data = slices.Clone(other.Graph.Initializers[0].Data)
	other.Graph.Initializers[0].Data[0] ^= 1
	for want, change := range map[string]func(p *tune.Problem, s *tune.Settings){
		"its learning_rate is 0.0001, here 0.01":      func(_ *tune.Problem, s *tune.Settings) { s.LearningRate = 1e-2 },
		"its seed is 0, here 4":                       func(_ *tune.Problem, s *tune.Settings) { s.Seed = 4 },
		"its unfreeze is all, here top:1":             func(_ *tune.Problem, s *tune.Settings) { s.Unfreeze.Top = 1 },
		`its lora is none, here {"rank":2,"alpha":4}`: func(_ *tune.Problem, s *tune.Settings) { s.LoRA.Rank = 2 },
		"its backbone is another":                     func(p *tune.Problem, _ *tune.Settings) { p.Model = other },
		"its rows is another":                         func(p *tune.Problem, _ *tune.Settings) { p.Train = p.Train[1:] },
		"its head is another":                         func(p *tune.Problem, _ *tune.Settings) { p.Bias = []float32{1, 0} },
		"its data is these, here those":               func(p *tune.Problem, _ *tune.Settings) { p.Identity = map[string]string{"data": "those"} },
	} {
		p, s := *p, s
		change(&p, &s)
		var mismatch *tune.MismatchError
		_, err := tune.Run(context.Background(), rt, &p, s)
		if !errors.As(err, &mismatch) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want a MismatchError with %q", err, want)
		}
	}
	if r, err := tune.Run(context.Background(), rt, p, s); err != nil || r.Resumed == 0 {
		t.Errorf("the run itself: %v", err)
	}
}

// TestDamaged: the newest checkpoint that can be read is taken, and numbers that changed on disk are noticed.
func TestDamaged(t *testing.T) {
	s := long(filepath.Join(t.TempDir(), "c"))
	want := weights(t, runLong(t, s))
	names, _ := filepath.Glob(filepath.Join(s.Checkpoints.Dir, "*"))
	newest := names[len(names)-1]
	if err := os.WriteFile(filepath.Join(newest, "state.json"), []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if r := runLong(t, s); r.Resumed == 0 || !bytes.Equal(weights(t, r), want) {
		t.Errorf("resumed at step %d, other weights", r.Resumed)
	}
	names, _ = filepath.Glob(filepath.Join(s.Checkpoints.Dir, "*", "state.safetensors"))
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)-1] ^= 1
		if err := os.WriteFile(name, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	_, err := trainLong(context.Background(), t, s)
	if err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("error %v, want one of the checksum", err)
	}
}
