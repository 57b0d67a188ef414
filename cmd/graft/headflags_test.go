package main

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/heads"
)

func parsedHead(t *testing.T, line string) *headFlags {
	t.Helper()
	var h headFlags
	flags := pflag.NewFlagSet("finetune", pflag.ContinueOnError)
	h.add(flags)
	if err := flags.Parse(strings.Fields(line)); err != nil {
		t.Fatal(err)
	}
	return &h
}

func TestHeadFlagsBecomeSettings(t *testing.T) {
	labels := []string{"a=b", "c"}
	s, err := parsedHead(t, "").settings(labels, 7)
	if err != nil || s.Head != "" || s.C != 0 || s.Seed != 7 || s.ClassWeight.Balanced || s.ClassWeight.Of != nil {
		t.Errorf("no flags: %+v, %v", s, err)
	}
	s, err = parsedHead(t, "--head mlp --C 0.5 --class-weight a=b=2,c=0 --label-smoothing 0.1 --folds 3 --hidden 64,32 --head-dropout 0.2").settings(labels, 0)
	if err != nil || s.Head != heads.KindMLP || s.C != 0.5 || s.ClassWeight.Of[0] != 2 || s.ClassWeight.Of[1] != 0 || len(s.ClassWeight.Of) != 2 ||
		s.Smoothing != 0.1 || s.Folds != 3 || len(s.Hidden) != 2 || s.Dropout != 0.2 {
		t.Errorf("%+v, %v", s, err)
	}
	s, err = parsedHead(t, "--head auto --class-weight balanced --neighbours 3 --metric cosine").settings(labels, 0)
	if err != nil || s.Head != finetune.AutoHead || !s.ClassWeight.Balanced || s.Neighbours != 3 || s.Metric != heads.Cosine {
		t.Errorf("%+v, %v", s, err)
	}
	for _, line := range []string{
		"--head forest", "--C 0", "--C -1", "--C inf", "--C much", "--class-weight c", "--class-weight d=1", "--class-weight c=-1",
		"--class-weight c=inf", "--label-smoothing 1", "--folds 1", "--folds -2", "--neighbours -1", "--metric near", "--head-dropout 1",
	} {
		if _, err := parsedHead(t, line).settings(labels, 0); !is[usageError](err) {
			t.Errorf("%s: %v, want a usage error", line, err)
		}
	}
}

func TestGivenHeadFlagsAreRecorded(t *testing.T) {
	all := map[string]any{}
	parsedHead(t, "--head knn --neighbours 3").options(all)
	if len(all) != 4 || all["head"] != "knn" || all["neighbours"] != 3 || all["C"] != "auto" || all["class_weight"] != "none" {
		t.Errorf("%v", all)
	}
}

func TestHeadsComparedAreShown(t *testing.T) {
	r := &finetune.Result{Head: "svm"}
	r.Probe = finetune.ProbeResult{C: 0.01, By: finetune.ChosenByHoldOut, Heads: []finetune.PathPoint{
		{Head: "centroid", Mean: 0.5, SE: 0.01, Accuracy: 0.8}, {Head: "svm", C: 0.01, Mean: 0.4, SE: 0.02, Accuracy: 0.9},
	}}
	if got := headLine(r); got != "svm, C 0.01 (hold-out)" {
		t.Error(got)
	}
	rows := probeTable(r)
	if len(rows) != 2 || rows[0][0] != "  centroid" || rows[1][0] != "  svm, C 0.01" || rows[1][1] != "accuracy 0.9000, loss 0.4000 ± 0.0200" {
		t.Errorf("%q", rows)
	}
	r.Probe = finetune.ProbeResult{By: finetune.ChosenByCaller}
	if got := headLine(r); got != "svm (given)" || probeTable(r) != nil {
		t.Error(got)
	}
}
