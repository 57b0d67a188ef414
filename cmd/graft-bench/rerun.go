package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// graftCommand returns the graft command to measure, built from this module where none was given.
func (b *bench) graftCommand(ctx context.Context, dir string) (string, error) {
	if b.graft != "" {
		return filepath.Abs(b.graft)
	}
	file := filepath.Join(dir, "graft")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", file, "github.com/onnx-graft/graft/cmd/graft").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return file, nil
}

// A commandRun is what a graft command took.
type commandRun struct {
	seconds float64
	mb      float64 // peak memory, 0 where the system does not tell
	stdout  []byte
}

// runGraft runs a graft command with a cache of its own.
func (b *bench) runGraft(ctx context.Context, command, cache string, args ...string) (commandRun, error) {
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.Env = append(os.Environ(), append(threadEnv(b.threads), "GRAFT_CACHE="+cache, "GRAFT_ONNXRUNTIME="+b.rt.Path())...)
	said := &tail{limit: 4096}
	cmd.Stderr = said
	start := time.Now()
	out, err := cmd.Output()
	seconds := time.Since(start).Seconds()
	if err != nil {
		return commandRun{}, fmt.Errorf("graft %s: %w\n%s", args[0], err, said)
	}
	return commandRun{seconds, childPeak(cmd.ProcessState), out}, nil
}

// benchRerun measures the second of two identical finetune commands: everything but the features is done again.
func benchRerun(ctx context.Context, b *bench) (report, error) {
	var out report
	dir, err := os.MkdirTemp("", "graft-bench-*")
	if err != nil {
		return out, err
	}
	defer os.RemoveAll(dir)
	graft, err := b.graftCommand(ctx, dir)
	if err != nil {
		return out, err
	}
	for _, data := range []struct {
		name   string
		tables [2]string // to learn from, to judge by
		goal   *goal
	}{
		{"sst2 and cr, 2 classes", [2]string{"sst2/train,sst2/dev,cr/train", "sst2/test"}, atMost(1)},
		{"banking77, 77 classes", [2]string{"banking77/train", "banking77/test"}, nil},
	}[:b.size(2, 1)] {
		r, err := b.rerun(ctx, graft, dir, data.name, data.tables)
		if err != nil {
			return out, err
		}
		r.Goal = data.goal
		out.rows = append(out.rows, r)
	}
	return out, nil
}

// rerun runs finetune on 10,000 rows until it has been measured often enough after the first.
func (b *bench) rerun(ctx context.Context, graft, dir, name string, tables [2]string) (row, error) {
	total := b.size(10000, 400)
	data := filepath.Join(dir, "data-"+strings.Fields(name)[0])
	if err := os.MkdirAll(data, 0o777); err != nil {
		return row{}, err
	}
	held := total * 18 / 100
	for i, split := range []string{"train", "test"} {
		rows, err := b.lines(strings.Split(tables[i], ",")...)
		if err != nil {
			return row{}, err
		}
		n := []int{total - held, held}[i]
		if rows = sample(rows, n); len(rows) < n {
			return row{}, fmt.Errorf("%s: %d rows, want %d", tables[i], len(rows), n)
		}
		if err := writeLines(filepath.Join(data, split+".tsv"), rows); err != nil {
			return row{}, err
		}
	}
	cache, model := filepath.Join(dir, "cache-"+filepath.Base(data)), filepath.Join(dir, "model-"+filepath.Base(data))
	args := []string{"finetune", "--quiet", "--json", "--backbone", b.asset("text-models", "minilm-l6"), "--data", data, "--out", model, "--text", "text", "--label", "label"}
	first, err := b.runGraft(ctx, graft, cache, args...)
	if err != nil {
		return row{}, err
	}
	b.say("  %s: first run %.2f s", name, first.seconds)
	var seconds []float64
	var last struct {
		Timings map[string]float64 `json:"timings_s"`
	}
	for range b.times(7) {
		again, err := b.runGraft(ctx, graft, cache, args...)
		if err == nil {
			err = json.Unmarshal(again.stdout, &last)
		}
		if err != nil {
			return row{}, err
		}
		seconds = append(seconds, again.seconds)
		b.say("  %s: again %.3f s: %s", name, again.seconds, stages(last.Timings))
	}
	return row{
		Work: fmt.Sprintf("second identical `graft finetune`, %d rows × 384 (%s)", total, name), Unit: "s", Graft: spreadOf(seconds),
		Note: fmt.Sprintf("the whole command: choice of C, baselines, report, export, proof; the first run took %.1f s; in the last, %s", first.seconds, stages(last.Timings)),
	}, nil
}

// stages writes timings, the longest first.
func stages(timings map[string]float64) string {
	names := slices.SortedFunc(maps.Keys(timings), func(a, b string) int { return cmp.Or(cmp.Compare(timings[b], timings[a]), cmp.Compare(a, b)) })
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %.3f s", name, timings[name])
	}
	return strings.Join(names, ", ")
}

// writeLines writes a table as the shared ones are.
func writeLines(file string, rows []line) error {
	var s strings.Builder
	s.WriteString("label\ttext\n")
	for _, r := range rows {
		fmt.Fprintf(&s, "%s\t%s\n", r.label, r.text)
	}
	return os.WriteFile(file, []byte(s.String()), 0o666)
}
