package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/onnx-graft/graft/finetune/dataset"
)

func finetuneCommand(a *app) *cobra.Command {
	var j job
	cmd := &cobra.Command{
		Use:   "finetune --data D --out O",
		Short: "Fine-tune a backbone on labelled texts or pictures into one proved ONNX model",
		Long: "Extract features with a frozen backbone, fit a head on them, judge it on rows held out, and write a\n" +
			"folder with one ONNX model that is proved to answer as the one that was judged.\n\n" +
			"D is an image folder (<split>/<class>/* or <class>/*), a folder with tables train, validation and\n" +
			"test, or one table (CSV, TSV, JSONL, Parquet; CoNLL of tagged words). Without a test split one is held\n" +
			"out by seed. What is learned goes by the labels: a class a row, any number of labels (lists), a number,\n" +
			"or a tag a word; of a text, a picture, or a pair of texts.",
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "data", "out"); err != nil {
				return err
			}
			result, err := j.run(cmd.Context(), a)
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(result)
			}
			return a.printResult(result)
		},
	}
	addGroups(cmd,
		flagGroup{"What goes in and comes out", func(flags *pflag.FlagSet) {
			flags.StringVar(&j.backbone, "backbone", "", "a model folder, an .onnx file, or a name of graft models list (default: the embedded one for the data)")
			flags.StringVar(&j.data, "data", "", "what to learn from")
			flags.StringVar(&j.out, "out", "", "folder to write")
			flags.StringVar(&j.title, "title", "", "title of the model card")
			flags.BoolVar(&j.probabilities, "probabilities", false, "the model gives probabilities beside logits")
			flags.Float64Var(&j.tolerance, "tolerance", 0, "how far a logit of the written model may be from the judged one (default 1e-4, more for answers larger than 10)")
			j.report.add(flags)
		}},
		flagGroup{"Data", func(flags *pflag.FlagSet) { j.table.add(flags); j.split.add(flags) }},
		flagGroup{"Head", j.head.add},
		flagGroup{"Answers", j.judge.add},
		flagGroup{"Training the backbone", j.tune.add},
		flagGroup{"Features", func(flags *pflag.FlagSet) { j.feature.add(flags); j.text.add(flags) }},
		flagGroup{"Pictures", func(flags *pflag.FlagSet) { j.vision.add(flags); j.augment.add(flags) }},
		flagGroup{"Cache", j.cache.add},
		flagGroup{"Machine", func(flags *pflag.FlagSet) { j.runtime.add(flags); j.speed.add(flags) }},
	)
	return cmd
}

// splitFlags say how rows are divided.
type splitFlags struct {
	test, validation float64
	seed             uint64
	keep, lenient    bool
}

// defaultTest is the share of each class that is held out.
const defaultTest = 0.2

func (s *splitFlags) add(flags *pflag.FlagSet) {
	flags.Float64Var(&s.test, "test-fraction", defaultTest, "share of each class held out where the data has no test split")
	flags.Float64Var(&s.validation, "validation-fraction", 0, "share of each class of the training rows kept to choose by")
	flags.Uint64Var(&s.seed, "seed", 0, "seed of every random choice")
	flags.BoolVar(&s.keep, "keep-duplicates", false, "keep training rows that also occur in the test split")
	flags.BoolVar(&s.lenient, "lenient", false, "drop rows without a text or label, and classes of one example, in place of an error")
}

func (s *splitFlags) apply(d *dataset.Settings) error {
	if !(s.test > 0 && s.test < 1) || !(s.validation >= 0 && s.validation < 1) {
		return usagef("--test-fraction takes a number between 0 and 1, --validation-fraction one from 0 to below 1")
	}
	d.Test, d.Validation, d.Seed, d.KeepDuplicates, d.Lenient = s.test, s.validation, s.seed, s.keep, s.lenient
	return nil
}

// shortName names a backbone's path without the folders above it.
func shortName(path string) string {
	clean := filepath.Clean(path)
	name, above := filepath.Base(clean), filepath.Base(filepath.Dir(clean))
	if name == "model.onnx" && above == "onnx" {
		above = filepath.Base(filepath.Dir(filepath.Dir(clean)))
	}
	if name != "model.onnx" || above == "." || above == string(filepath.Separator) {
		return name
	}
	return fmt.Sprintf("%s/%s", above, name)
}
