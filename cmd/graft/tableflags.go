package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/onnx-graft/graft/finetune/dataset"
)

// tableFlags say how rows are read from tables, and what their labels are.
type tableFlags struct {
	text, second, label string
	format, separator   string
	quoted              bool
	task                taskFlag
}

func (t *tableFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&t.text, "text", "", "column of texts (default: the obvious name)")
	flags.StringVar(&t.second, "text-pair", "", "column of second texts, where rows are pairs (default: where both names are obvious, as sentence1 and sentence2)")
	flags.StringVar(&t.label, "label", "", "column of labels (default: the obvious name)")
	flags.StringVar(&t.separator, "label-separator", "", "what stands between the labels of a row that may have any number of them")
	flags.Var(&t.task, "task", "what is learned: classification, multi-label, regression or token-classification (default: as the labels look)")
	flags.StringVar(&t.format, "format", "", "csv, tsv, jsonl, parquet or conll (default: by the file's extension)")
	flags.BoolVar(&t.quoted, "quoted", false, "fields of a TSV may be quoted as in CSV")
}

func (t *tableFlags) settings() dataset.Settings {
	return dataset.Settings{
		Text: t.text, Second: t.second, Label: t.label, Separator: t.separator, Target: t.task.target,
		Format: dataset.Format(t.format), Quoted: t.quoted,
	}
}

// options are the flags that were given, for the model's record.
func (t *tableFlags) options(all map[string]any) {
	for name, v := range map[string]string{
		"text": t.text, "text_pair": t.second, "label": t.label, "label_separator": t.separator, "format": t.format, "task": t.task.String(),
	} {
		if v != "" {
			all[name] = v
		}
	}
}

// taskFlag is the flag --task.
type taskFlag struct{ target *dataset.Target }

// Set implements pflag.Value.
func (f *taskFlag) Set(name string) error {
	target, err := dataset.ParseTask(name)
	if err != nil {
		return fmt.Errorf("there are classification, multi-label, regression and token-classification")
	}
	f.target = &target
	return nil
}

// String implements pflag.Value.
func (f *taskFlag) String() string {
	if f.target == nil {
		return ""
	}
	return f.target.Task()
}

// Type implements pflag.Value.
func (f *taskFlag) Type() string { return "string" }
