package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/heads"
)

func finetuneCommand(a *app) *cobra.Command {
	var j job
	cmd := &cobra.Command{
		Use:   "finetune --data D --out O",
		Short: "Fine-tune a backbone on labelled texts or pictures into one proved ONNX model",
		Long: "Extract features with a frozen backbone, fit a head on them, judge it on rows held out, and write a\n" +
			"folder with one ONNX model that is proved to answer as the one that was judged.\n\n" +
			"D is an image folder (<split>/<class>/* or <class>/*), a folder with tables train, validation and\n" +
			"test, or one table (CSV, TSV, JSONL, Parquet). Without a test split one is held out by seed.",
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
	flags := cmd.Flags()
	flags.StringVar(&j.backbone, "backbone", "", "a model folder, an .onnx file, or a name of graft models list (default: the embedded one for the data)")
	flags.StringVar(&j.data, "data", "", "what to learn from")
	flags.StringVar(&j.out, "out", "", "folder to write")
	flags.StringVar(&j.title, "title", "", "title of the model card")
	flags.BoolVar(&j.probabilities, "probabilities", false, "the model gives probabilities beside logits")
	flags.Float64Var(&j.tolerance, "tolerance", 0, "how far a logit of the written model may be from the judged one (default 1e-4)")
	j.table.add(flags)
	j.split.add(flags)
	j.head.add(flags)
	j.tune.add(flags)
	j.feature.add(flags)
	j.text.add(flags)
	j.vision.add(flags)
	j.augment.add(flags)
	j.cache.add(flags)
	j.runtime.add(flags)
	return cmd
}

// tableFlags say how rows are read from tables.
type tableFlags struct {
	text, label, format string
	quoted              bool
}

func (t *tableFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&t.text, "text", "", "column of texts (default: the obvious name)")
	flags.StringVar(&t.label, "label", "", "column of labels (default: the obvious name)")
	flags.StringVar(&t.format, "format", "", "csv, tsv, jsonl or parquet (default: by the file's extension)")
	flags.BoolVar(&t.quoted, "quoted", false, "fields of a TSV may be quoted as in CSV")
}

func (t *tableFlags) settings() dataset.Settings {
	return dataset.Settings{Text: t.text, Label: t.label, Format: dataset.Format(t.format), Quoted: t.quoted}
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

// headFlags choose and set the head.
type headFlags struct {
	kind, c, classWeight string
}

// defaultHead is what the flags say where they are not given.
var defaultHead = headFlags{kind: "logistic", c: "auto", classWeight: "none"}

func (h *headFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&h.kind, "head", defaultHead.kind, "what is fitted on the features: logistic")
	flags.StringVar(&h.c, "C", defaultHead.c, "how much the data counts beside the penalty (scikit-learn's C), or auto")
	flags.StringVar(&h.classWeight, "class-weight", defaultHead.classWeight, "how much each class counts: none, balanced, or LABEL=WEIGHT,…")
}

// regularisation returns C, 0 for one that is chosen.
func (h *headFlags) regularisation() (float64, error) {
	if h.kind != "logistic" {
		return 0, usagef("--head %s is not known; there is logistic", h.kind)
	}
	if h.c == "auto" {
		return 0, nil
	}
	c, err := strconv.ParseFloat(h.c, 64)
	if err != nil || !(c > 0) {
		return 0, usagef("--C takes a number above 0, or auto; got %q", h.c)
	}
	return c, nil
}

// weights returns the weights of classes whose names are labels.
func (h *headFlags) weights(labels []string) (heads.ClassWeight, error) {
	switch h.classWeight {
	case "", "none":
		return heads.ClassWeight{}, nil
	case "balanced":
		return heads.ClassWeight{Balanced: true}, nil
	}
	of := map[int]float64{}
	for _, part := range strings.Split(h.classWeight, ",") {
		at := strings.LastIndexByte(part, '=')
		if at < 0 {
			return heads.ClassWeight{}, usagef("--class-weight takes none, balanced, or LABEL=WEIGHT,…; got %q", part)
		}
		w, err := strconv.ParseFloat(part[at+1:], 64)
		if err != nil || !(w >= 0) {
			return heads.ClassWeight{}, usagef("--class-weight: %q is no weight of 0 or more", part[at+1:])
		}
		k := slices.Index(labels, part[:at])
		if k < 0 {
			return heads.ClassWeight{}, usagef("--class-weight: the data has no label %q; it has %s", part[:at], strings.Join(labels, ", "))
		}
		of[k] = w
	}
	return heads.ClassWeight{Of: of}, nil
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
