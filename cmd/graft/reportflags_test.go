package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReportFlag: a page is written beside the model and named, and not where that is not wanted.
func TestReportFlag(t *testing.T) {
	dir := workplace(t)
	data, out := demoTexts(t, dir), filepath.Join(dir, "out")
	page := filepath.Join(out, "report.html")
	r := graft(t, "", "finetune", "--data", data, "--out", out, "-q").want(t, exitOK)
	html, err := os.ReadFile(page)
	if err != nil || !strings.Contains(r.stdout, page) || !strings.Contains(string(html), "</html>") {
		t.Errorf("%v; %s", err, r.stdout)
	}
	r = graft(t, "", "finetune", "--data", data, "--out", out, "-q", "--report=false").want(t, exitOK)
	for _, name := range []string{"report.html", "report"} {
		if _, err := os.Stat(filepath.Join(out, name)); err == nil {
			t.Errorf("%s is there although no report was wanted", name)
		}
	}
	if strings.Contains(r.stdout, "report") {
		t.Errorf("a report is named that there is not: %s", r.stdout)
	}
}

func TestCommandLine(t *testing.T) {
	got := commandLine([]string{"/usr/bin/graft", "finetune", "--title", "it's <b>", "", "--C=1"})
	if want := `graft finetune --title 'it'\''s <b>' '' --C=1`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
