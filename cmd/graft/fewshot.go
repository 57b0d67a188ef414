package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/vision"
)

func fewshotCommand(a *app) *cobra.Command {
	var f fewShot
	cmd := &cobra.Command{
		Use:   "fewshot --data D",
		Short: "Tell how far a few labelled rows a class go",
		Long: "Draw a few training rows of each class, again and again, fit heads on the backbone's features of them,\n" +
			"and judge each on all test rows: mean accuracy and standard deviation. Several --data make one table.",
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "data"); err != nil {
				return err
			}
			results, err := f.run(cmd.Context(), a)
			if err != nil {
				return err
			}
			return a.printFewShot(results, f.form)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.job.backbone, "backbone", "", "a model folder, an .onnx file, or a name of graft models list (default: the embedded one for the data)")
	flags.StringArrayVar(&f.data, "data", nil, "what to learn from; may be given several times")
	flags.IntSliceVar(&f.settings.Shots, "shots", []int{8}, "rows a class; several, with commas, are tried one after the other")
	flags.IntVar(&f.settings.Repeats, "repeats", 10, "draws of the rows")
	flags.StringSliceVar(&f.kinds, "head", []string{"centroid", "logistic"}, "heads to fit, with commas: "+strings.Join(headNames(), ", "))
	flags.Float64Var(&f.settings.Probe.C, "C", 1, "how much the data counts beside the penalty, for heads that have one")
	flags.StringVar(&f.metric, "metric", "", "what the heads centroid and knn call near: euclidean or cosine (default euclidean)")
	f.form.add(flags)
	f.job.table.add(flags)
	f.job.split.add(flags)
	f.job.feature.add(flags)
	f.job.text.add(flags)
	f.job.vision.add(flags)
	f.job.cache.add(flags)
	f.job.runtime.add(flags)
	return cmd
}

// fewShot is one few-shot experiment as the command line describes it.
type fewShot struct {
	job      job // its backbone and runtime
	data     []string
	kinds    []string
	metric   string
	settings finetune.FewShotSettings
	form     tableForm
}

func (f *fewShot) run(ctx context.Context, a *app) ([]*finetune.FewShotResult, error) {
	if slices.ContainsFunc(f.settings.Shots, func(k int) bool { return k < 1 }) || f.settings.Repeats < 1 {
		return nil, usagef("--shots and --repeats take numbers of 1 or more")
	}
	f.settings.Probe.Metric = heads.Metric(f.metric)
	if m := f.settings.Probe.Metric; m != "" && m != heads.Euclidean && m != heads.Cosine {
		return nil, usagef("--metric takes euclidean or cosine")
	}
	if !(f.settings.Probe.C > 0) {
		return nil, usagef("--C takes a number above 0")
	}
	var err error
	if f.settings.Heads, err = kindsOf(f.kinds); err != nil {
		return nil, err
	}
	if err := f.form.check(); err != nil {
		return nil, err
	}
	f.settings.Seed = f.job.split.seed
	var results []*finetune.FewShotResult
	for _, name := range f.data {
		f.job.data = name
		data, err := f.job.read(ctx, a)
		if err != nil {
			return nil, err
		}
		r, err := onData(ctx, a, &f.job, data, fewShotOn[string](f), fewShotOn[vision.Picture](f))
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}

// fewShotOn is the experiment on data of inputs T.
func fewShotOn[T any](f *fewShot) func(context.Context, onnx.Runtime, []finetune.Opening[T], dataset.Split[T], finetune.ExtractSettings) (*finetune.FewShotResult, error) {
	return func(ctx context.Context, rt onnx.Runtime, open []finetune.Opening[T], data dataset.Split[T], e finetune.ExtractSettings) (*finetune.FewShotResult, error) {
		b, err := open[0]()
		if err != nil {
			return nil, err
		}
		defer b.Model.Close()
		s := f.settings
		s.Extract, s.Progress = e, e.Progress
		return finetune.FewShot(ctx, rt, b, data, s)
	}
}

// kindsOf are heads by name.
func kindsOf(names []string) (kinds []heads.Kind, err error) {
	for _, name := range names {
		if !slices.Contains(headNames(), name) {
			return nil, usagef("--head %s is not known; there are %s", name, strings.Join(headNames(), ", "))
		}
		kinds = append(kinds, heads.Kind(name))
	}
	return kinds, nil
}

// printFewShot prints a line for each data set and number of shots, with a column for each head.
func (a *app) printFewShot(results []*finetune.FewShotResult, form tableForm) error {
	if a.json {
		return a.printJSON(results)
	}
	rows := [][]string{{"data", "classes", "rows a class"}}
	for i, r := range results {
		lines := map[int][]string{}
		var shots []int
		for _, l := range r.Lines {
			if i == 0 && l.Shots == r.Lines[0].Shots {
				rows[0] = append(rows[0], l.Head)
			}
			if lines[l.Shots] == nil {
				shots = append(shots, l.Shots)
				lines[l.Shots] = []string{r.Data, fmt.Sprint(r.Classes), fmt.Sprint(l.Shots)}
			}
			lines[l.Shots] = append(lines[l.Shots], fmt.Sprintf("%.3f ± %.3f", l.Mean, l.SD))
		}
		for _, k := range shots {
			rows = append(rows, lines[k])
		}
	}
	return a.printForm(rows, form)
}
