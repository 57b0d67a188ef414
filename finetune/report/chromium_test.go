package report

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/onnx-graft/graft/finetune/report/reporttest"
)

// TestPageInChromium looks at a page of every kind of run.
func TestPageInChromium(t *testing.T) {
	pages := map[string]reporttest.Page{}
	for name, d := range fixtures(t) {
		html, err := Page(d)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		p := reporttest.Page{HTML: html}
		for _, f := range figures(d) {
			p.Figures = append(p.Figures, f.ID)
		}
		pages[name] = p
	}
	reporttest.Look(t, pages)
}

// TestScreenshots writes pictures of the pages to the folder that GRAFT_SCREENSHOTS names, to be looked at.
func TestScreenshots(t *testing.T) {
	to := os.Getenv("GRAFT_SCREENSHOTS")
	if to == "" {
		t.Skip("GRAFT_SCREENSHOTS names no folder for pictures of the pages")
	}
	browser := reporttest.Browser(t)
	for name, d := range fixtures(t) {
		dir := filepath.Join(to, name)
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := Write(dir, d); err != nil {
			t.Fatal(err)
		}
		for _, shot := range []struct {
			name string
			args []string
		}{
			{"light", []string{"--window-size=1280,4200"}},
			{"dark", []string{"--window-size=1280,4200", "--blink-settings=preferredColorScheme=0"}},
			{"phone", []string{"--window-size=500,6400"}},
		} {
			reporttest.Browse(t, browser, append(shot.args, "--screenshot="+filepath.Join(dir, shot.name+".png"), "file://"+filepath.Join(dir, PageFile))...)
		}
	}
}
