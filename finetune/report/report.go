// Package report writes what came of a fine-tune as a page that people look at: report.html, which needs nothing beside
// it, and in a folder the same figures as SVG and PNG and the numbers as JSON.
//
// A page fetches nothing and runs no script; it follows the reader's light or dark surroundings and the width of a phone.
// All that is the user's (texts, labels, file names) is escaped.
package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// What [Write] writes: the page, and the folder of figures with the numbers in it.
const (
	PageFile   = "report.html"
	FolderName = "report"
	DataFile   = "report.json"  // in the folder
	TimingFile = "timings.json" // in the folder
)

// pngScale is how many pixels a unit of a drawing has in PNG.
const pngScale = 2

// Write writes report.html and the folder report into dir, which exists. Equal data give equal bytes; times show in the page
// and in the files report/timings.* alone. It is not atomic: a caller for whom it must be gives a folder that is moved to its
// place afterwards.
func Write(dir string, d *Data) error {
	figs := figures(d)
	folder := filepath.Join(dir, FolderName)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	var all errgroup.Group
	all.SetLimit(runtime.GOMAXPROCS(0))
	write := func(path string, make func() ([]byte, error)) {
		all.Go(func() error {
			data, err := make()
			if err == nil {
				err = os.WriteFile(path, data, 0o666)
			}
			if err != nil {
				return fmt.Errorf("report: %s: %w", filepath.Base(path), err)
			}
			return nil
		})
	}
	write(filepath.Join(dir, PageFile), func() ([]byte, error) { return page(d, figs) })
	write(filepath.Join(folder, DataFile), func() ([]byte, error) { return encoded(d) })
	if len(d.Timings) > 0 {
		write(filepath.Join(folder, TimingFile), func() ([]byte, error) { return encoded(d.Timings) })
	}
	for _, f := range figs {
		write(filepath.Join(folder, f.ID+".png"), func() ([]byte, error) { return f.PNG(pngScale) })
		write(filepath.Join(folder, f.ID+".svg"), func() ([]byte, error) { return f.SVG(), nil })
	}
	return all.Wait()
}

// Page returns report.html.
func Page(d *Data) ([]byte, error) {
	return page(d, figures(d))
}

func encoded(d any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(d)
	return b.Bytes(), err
}
