package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/heads"
)

// headFlags choose and set the head.
type headFlags struct {
	kind, c, classWeight string
	smoothing            float64
	folds                int
	neighbours           int
	metric               string
	hidden               []int
	dropout              float64
}

// defaultHead is what the flags say where they are not given.
var defaultHead = headFlags{c: "auto", classWeight: "none"}

func (h *headFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&h.kind, "head", defaultHead.kind, "what is fitted on the features: "+strings.Join(headNames(), ", ")+", or auto for the one that does best on rows held out (default logistic; of label sets multilabel, of numbers ridge)")
	flags.StringVar(&h.c, "C", defaultHead.c, "how much the data counts beside the penalty (scikit-learn's C; ridge's alpha is 1/(2C)), or auto")
	flags.StringVar(&h.classWeight, "class-weight", defaultHead.classWeight, "how much each class counts: none, balanced, or LABEL=WEIGHT,…")
	flags.Float64Var(&h.smoothing, "label-smoothing", 0, "share of each label that is spread over all classes, below 1 (heads logistic and mlp; default none, but 0.1 of up to 10 classes while the backbone is trained; negative: none)")
	flags.IntVar(&h.folds, "folds", 0, "folds of the cross-validation that chooses C and head (default 5 below 2,000 rows; above, tenths are held out)")
	flags.IntVar(&h.neighbours, "neighbours", 0, "how many neighbours the head knn asks (default 5)")
	flags.StringVar(&h.metric, "metric", "", "what the heads centroid and knn call near: euclidean or cosine (default euclidean)")
	flags.IntSliceVar(&h.hidden, "hidden", nil, "sizes of the one or two hidden layers of the head mlp (default 256)")
	flags.Float64Var(&h.dropout, "head-dropout", 0, "part of the hidden numbers that the head mlp drops in training")
}

// headNames lists the kinds of heads, each once.
func headNames() (names []string) {
	for _, task := range []heads.Task{heads.Classification, heads.MultiLabel, heads.Regression} {
		for _, k := range heads.Kinds(task) {
			if !slices.Contains(names, string(k)) {
				names = append(names, string(k))
			}
		}
	}
	return names
}

// settings are what the flags ask of the probe on data with these labels.
func (h *headFlags) settings(labels []string, seed uint64) (finetune.ProbeSettings, error) {
	s := finetune.ProbeSettings{
		Head: heads.Kind(h.kind), Seed: seed, Folds: h.folds, Smoothing: max(h.smoothing, 0), Neighbours: h.neighbours,
		Metric: heads.Metric(h.metric), Hidden: h.hidden, Dropout: h.dropout,
	}
	if h.kind != "" && s.Head != finetune.AutoHead && !slices.Contains(headNames(), h.kind) {
		return s, usagef("--head %s is not known; there are %s and auto", h.kind, strings.Join(headNames(), ", "))
	}
	switch {
	case !(h.smoothing < 1):
		return s, usagef("--label-smoothing takes a number below 1")
	case h.folds < 0 || h.folds == 1:
		return s, usagef("--folds takes a number of 2 or more")
	case h.neighbours < 0:
		return s, usagef("--neighbours takes a number of 1 or more")
	case h.metric != "" && s.Metric != heads.Euclidean && s.Metric != heads.Cosine:
		return s, usagef("--metric takes euclidean or cosine")
	case !(h.dropout >= 0 && h.dropout < 1):
		return s, usagef("--head-dropout takes a number from 0 to below 1")
	}
	if h.c != "auto" {
		var err error
		if s.C, err = strconv.ParseFloat(h.c, 64); err != nil || !(s.C > 0) || math.IsInf(s.C, 0) {
			return s, usagef("--C takes a number above 0, or auto; got %q", h.c)
		}
	}
	var err error
	s.ClassWeight, err = h.weights(labels)
	return s, err
}

// options are the flags that were given, for the model's record.
func (h *headFlags) options(all map[string]any) {
	all["C"], all["class_weight"] = h.c, h.classWeight
	for _, o := range []struct {
		name  string
		given bool
		value any
	}{
		{"head", h.kind != "", h.kind}, {"label_smoothing", h.smoothing != 0, h.smoothing}, {"folds", h.folds != 0, h.folds},
		{"neighbours", h.neighbours != 0, h.neighbours}, {"metric", h.metric != "", h.metric},
		{"hidden", len(h.hidden) > 0, h.hidden}, {"head_dropout", h.dropout != 0, h.dropout},
	} {
		if o.given {
			all[o.name] = o.value
		}
	}
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
		if err != nil || !(w >= 0) || math.IsInf(w, 0) {
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

// headLine tells which head it is and how it was come by.
func headLine(r *finetune.Result) string {
	if r.Probe.C == 0 {
		return fmt.Sprintf("%s (%s)", r.Head, r.Probe.By)
	}
	return fmt.Sprintf("%s, C %.4g (%s)", r.Head, r.Probe.C, r.Probe.By)
}

// probeTable tells how the heads compared did on rows held out, where several were.
func probeTable(r *finetune.Result) (rows [][]string) {
	for _, p := range r.Probe.Heads {
		name := p.Head
		if p.C != 0 {
			name += fmt.Sprintf(", C %.3g", p.C)
		}
		score := fmt.Sprintf("loss %.4f ± %.4f", p.Mean, p.SE)
		if p.Accuracy != 0 {
			score = fmt.Sprintf("accuracy %.4f, %s", p.Accuracy, score)
		}
		rows = append(rows, []string{"  " + name, score})
	}
	return rows
}
