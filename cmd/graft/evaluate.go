package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/models"
)

func evaluateCommand(a *app) *cobra.Command {
	var e evaluation
	cmd := &cobra.Command{
		Use:   "evaluate --model O --data D",
		Short: "Judge a fine-tuned model on labelled rows",
		Long: "Judge the model in a folder that graft finetune wrote on labelled rows: the test split of the data,\n" +
			"else its validation split, else all of it, unless --split says otherwise.",
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "model", "data"); err != nil {
				return err
			}
			result, err := e.run(cmd.Context(), a)
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(result)
			}
			return a.printEvaluation(result)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&e.model, "model", "", "folder of the model")
	flags.StringVar(&e.data, "data", "", "labelled rows: an image folder, a folder of tables, or a table")
	flags.StringVar((*string)(&e.part), "split", "", "train, validation, test or all")
	e.table.add(flags)
	e.runtime.add(flags)
	return cmd
}

// An evaluation is one run of evaluate as the command line describes it.
type evaluation struct {
	model, data string
	part        dataset.Part
	table       tableFlags
	runtime     runtimeFlags
}

func (e *evaluation) run(ctx context.Context, a *app) (finetune.Evaluation, error) {
	task, err := classifierTask(e.model)
	if err != nil {
		return finetune.Evaluation{}, err
	}
	rt, err := e.runtime.open(ctx, a)
	if err != nil {
		return finetune.Evaluation{}, err
	}
	progress := a.newProgress()
	defer progress.finish()
	c, err := openClassifier(e.runtime.sessions(rt), task, e.model, finetune.ExtractSettings{Workers: e.runtime.threads, Progress: progress})
	if err != nil {
		return finetune.Evaluation{}, err
	}
	defer c.Close()
	data, err := e.read(ctx, c, task)
	if err != nil {
		return finetune.Evaluation{}, err
	}
	return c.evaluate(ctx, data.Test)
}

// read reads the rows as the model's task needs them.
func (e *evaluation) read(ctx context.Context, c classifier, task models.Task) (dataset.Split[string], error) {
	s := e.table.settings()
	if s.Target == nil {
		s.Target = new(c.target())
	}
	data, err := dataset.ReadPart(ctx, e.data, e.part, s)
	switch {
	case err != nil:
		return data, asData(err)
	case (data.Kind == dataset.Images) != (task == models.Image):
		err = fmt.Errorf("the model %s reads %s, but %s holds %s", e.model, task.Plural(), e.data, data.Kind)
	case data.Target != c.target():
		err = fmt.Errorf("the model %s is for %s, not for %s", e.model, c.target().Task(), data.Target.Task())
	case c.pairs() && !data.Pairs:
		err = fmt.Errorf("the model %s reads pairs of texts, but %s holds single ones; name the other column with --text-pair", e.model, e.data)
	case data.Pairs && !c.pairs():
		err = fmt.Errorf("the model %s reads single texts, but %s holds pairs; name one column with --text", e.model, e.data)
	}
	if err != nil {
		return data, &dataError{err}
	}
	return data, nil
}

func (a *app) printEvaluation(e finetune.Evaluation) error {
	rows := [][]string{{"rows", fmt.Sprint(e.Rows)}}
	rows = append(rows, metricRows(e.Report.Task, e.Metrics)...)
	for _, c := range e.Report.Classes {
		rows = append(rows, []string{c.Label, fmt.Sprintf("precision %.4f, recall %.4f, F1 %.4f, %d rows", c.Precision, c.Recall, c.F1, c.Support)})
	}
	if err := a.printTable(rows...); err != nil {
		return err
	}
	for _, w := range e.Report.Warnings {
		fmt.Fprintln(a.stderr, "warning:", w)
	}
	return nil
}
