package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/vision"
)

func compareCommand(a *app) *cobra.Command {
	var c comparison
	cmd := &cobra.Command{
		Use:   "compare --backbone A --backbone B --data D",
		Short: "Compare backbones and heads on the same rows",
		Long: "Fit every head on every backbone and judge all on the same rows held out, best first, with intervals\n" +
			"of 95 % and the difference from the best, paired row by row. The baselines stand among them.",
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "data"); err != nil {
				return err
			}
			r, err := c.run(cmd.Context(), a)
			if err != nil {
				return err
			}
			return a.printComparison(r, c.form)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&c.backbones, "backbone", nil, "a model folder, an .onnx file, or a name of graft models list; may be given several times (default: the embedded one for the data)")
	flags.StringVar(&c.job.data, "data", "", "what to learn from")
	c.form.add(flags)
	c.job.table.add(flags)
	c.job.split.add(flags)
	c.job.head.add(flags)
	flags.Lookup("head").Usage += "; several, with commas, are compared"
	c.job.feature.add(flags)
	c.job.text.add(flags)
	c.job.vision.add(flags)
	c.job.cache.add(flags)
	c.job.runtime.add(flags)
	return cmd
}

// comparison is one comparison as the command line describes it.
type comparison struct {
	job       job // its data, split and runtime
	backbones []string
	form      tableForm
}

func (c *comparison) run(ctx context.Context, a *app) (*finetune.Comparison, error) {
	if err := c.form.check(); err != nil {
		return nil, err
	}
	data, err := c.job.read(ctx, a)
	if err != nil {
		return nil, err
	}
	var s finetune.CompareSettings
	names := strings.Split(c.job.head.kind, ",")
	if len(names) > 1 {
		if s.Heads, err = kindsOf(names); err != nil {
			return nil, err
		}
		c.job.head.kind = ""
	}
	if s.Probe, err = c.job.head.settings(data.Labels, c.job.split.seed); err != nil {
		return nil, err
	}
	return onData(ctx, a, &c.job, data, compareOn[string](s), compareOn[vision.Picture](s), c.backbones...)
}

// compareOn is the comparison on data of inputs T.
func compareOn[T any](s finetune.CompareSettings) func(context.Context, onnx.Runtime, []finetune.Opening[T], dataset.Split[T], finetune.ExtractSettings) (*finetune.Comparison, error) {
	return func(ctx context.Context, rt onnx.Runtime, open []finetune.Opening[T], data dataset.Split[T], e finetune.ExtractSettings) (*finetune.Comparison, error) {
		s.Extract, s.Progress = e, e.Progress
		return finetune.Compare(ctx, rt, open, data, s)
	}
}

// onData opens the runtime and the backbones' sources, and does the one thing with texts or the other with pictures. Without
// names the backbone is the job's.
func onData[R any](ctx context.Context, a *app, j *job, data dataset.Split[string],
	texts func(context.Context, onnx.Runtime, []finetune.Opening[string], dataset.Split[string], finetune.ExtractSettings) (R, error),
	pictures func(context.Context, onnx.Runtime, []finetune.Opening[vision.Picture], dataset.Split[vision.Picture], finetune.ExtractSettings) (R, error),
	names ...string) (result R, err error) {
	if len(names) == 0 {
		names = []string{j.backbone}
	}
	var openTexts []finetune.Opening[string]
	var openPictures []finetune.Opening[vision.Picture]
	for _, name := range names {
		one := *j
		one.backbone = name
		source, err := one.source(data.Kind)
		if err != nil {
			return result, err
		}
		openTexts = append(openTexts, func() (*finetune.Backbone[string], error) { return one.textBackbone(source) })
		openPictures = append(openPictures, func() (*finetune.Backbone[vision.Picture], error) { return one.imageBackbone(source) })
	}
	cache, err := j.cache.open()
	if err != nil {
		return result, err
	}
	rt, err := j.runtime.open(ctx, a)
	if err != nil {
		return result, err
	}
	progress := a.newProgress()
	defer progress.finish()
	e := finetune.ExtractSettings{Cache: cache, Workers: j.runtime.threads, RuntimeID: runtimeID(rt), Progress: progress}
	if data.Kind != dataset.Images {
		return texts(ctx, j.runtime.sessions(rt), openTexts, data, e)
	}
	split := dataset.Map(data, func(e dataset.Example[string]) vision.Picture { return vision.Picture{Path: e.Input} })
	return pictures(ctx, j.runtime.sessions(rt), openPictures, split, e)
}

// printComparison prints a line for each backbone and head.
func (a *app) printComparison(r *finetune.Comparison, form tableForm) error {
	if a.json {
		return a.printJSON(r)
	}
	rows := [][]string{{"backbone", "head", "features", strings.TrimPrefix(r.Metric, "eval_"), "95 %", "behind the best", "95 %", "extract s", "fit s"}}
	for i, l := range r.Lines {
		row := []string{l.Backbone, l.Head, fmt.Sprint(l.Features), fmt.Sprintf("%.4f", l.Score), between(l.Interval), "", "", fmt.Sprintf("%.1f", l.Extract), fmt.Sprintf("%.2f", l.Fit)}
		if l.C > 0 {
			row[1] = fmt.Sprintf("%s, C %.3g", l.Head, l.C)
		}
		if l.Cached > 0 {
			row[7] += " (cached)"
		}
		if l.Backbone == "" {
			row[0], row[2], row[7], row[8] = "none", "", "", ""
		}
		if i > 0 {
			row[5], row[6] = metrics.Figure(l.Behind), between(l.BehindInterval)
		}
		rows = append(rows, row)
	}
	if err := a.printForm(rows, form); err != nil {
		return err
	}
	a.say("%d rows to learn from, %d to judge by; differences are of %s, paired row by row", r.Rows.Train+r.Rows.Validation, r.Rows.Test, r.Paired)
	return nil
}

func between(i metrics.Interval) string {
	return metrics.Figure(i.Low) + " to " + metrics.Figure(i.High)
}

// A tableForm is how a table is written.
type tableForm string

const (
	textForm     tableForm = "text"
	csvForm      tableForm = "csv"
	markdownForm tableForm = "markdown"
)

func (f *tableForm) add(flags *pflag.FlagSet) {
	flags.StringVar((*string)(f), "as", string(textForm), "how the table is written: text, csv or markdown")
}

func (f tableForm) check() error {
	if f != textForm && f != csvForm && f != markdownForm {
		return usagef("--as takes text, csv or markdown; got %q", string(f))
	}
	return nil
}

// printForm writes a table whose first row names the columns.
func (a *app) printForm(rows [][]string, form tableForm) error {
	switch form {
	case csvForm:
		w := csv.NewWriter(a.stdout)
		return w.WriteAll(rows)
	case markdownForm:
		for i, row := range rows {
			cells := make([]string, len(row))
			for j, c := range row {
				cells[j] = strings.NewReplacer("|", `\|`, "\n", " ").Replace(c)
			}
			fmt.Fprintf(a.stdout, "| %s |\n", strings.Join(cells, " | "))
			if i == 0 {
				fmt.Fprintf(a.stdout, "|%s\n", strings.Repeat("---|", len(row)))
			}
		}
		return nil
	}
	return a.printTable(rows...)
}
