package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/finetune"
)

func TestFeatureAuto(t *testing.T) {
	dir := workplace(t)
	data, out := demoTexts(t, dir), filepath.Join(dir, "model")
	r := graft(t, "", "finetune", "--data", data, "--out", out, "--feature", "auto", "-q").want(t, exitOK)
	if !strings.Contains(r.stdout, "layers") || !strings.Contains(r.stdout, ", chosen") || !strings.Contains(r.stdout, "last_hidden_state") {
		t.Errorf("no table of layers:\n%s", r.stdout)
	}
	var got struct {
		Feature string
		Sweep   []finetune.SweepPoint
	}
	graft(t, "", "finetune", "--data", data, "--out", out, "--feature", "auto", "-q", "--json").want(t, exitOK).decode(t, &got)
	if len(got.Sweep) != 5 || got.Feature == "" {
		t.Errorf("%+v", got)
	}
	graft(t, "", "extract", "--data", data, "--out", filepath.Join(dir, "x.npy"), "--feature", "auto").want(t, exitUsage, "name the tensor")
}
