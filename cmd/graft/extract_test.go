package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/onnx-graft/graft/finetune/rowfile"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/models/demo"
)

// extractRows runs graft extract and returns the rows, by an array file.
func extractRows(t *testing.T, out string, args ...string) (heads.Matrix, []rowfile.Row) {
	t.Helper()
	graft(t, "", append([]string{"extract", "--out", out, "-q"}, args...)...).want(t, exitOK)
	f, err := rowfile.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := os.ReadFile(rowfile.Sidecar(out))
	if err != nil {
		t.Fatal(err)
	}
	var rows []rowfile.Row
	for line := range strings.Lines(string(text)) {
		var r rowfile.Row
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
	all := make([]int, f.Matrix.Rows)
	for i := range all {
		all[i] = i
	}
	return f.Matrix.Subset(all), rows
}

func TestExtractTexts(t *testing.T) {
	dir := workplace(t)
	data := demoTexts(t, dir)
	x, rows := extractRows(t, filepath.Join(dir, "x.npy"), "--data", data)
	if x.Rows != len(rows) || x.Rows < 50 || x.Cols != 192 || !strings.HasPrefix(rows[0].ID, "train.") || rows[0].Split != "train" || rows[0].Label == "" {
		t.Fatalf("%d×%d, %d rows, the first %+v", x.Rows, x.Cols, len(rows), rows[0])
	}
	// A row is its text's, in the data's order, whatever else is extracted: the texts alone, without labels, backwards.
	table, err := os.ReadFile(filepath.Join(data, "train.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for line := range strings.Lines(string(table)) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		texts = append([]string{fields[len(fields)-1]}, texts...)
	}
	texts = texts[:len(texts)-1] // the header
	alone := filepath.Join(dir, "alone.txt")
	if err := os.WriteFile(alone, []byte(strings.Join(texts, "\n")), 0o666); err != nil {
		t.Fatal(err)
	}
	y, plain := extractRows(t, filepath.Join(dir, "y.safetensors"), "--data", alone, "--no-cache")
	if y.Rows != len(texts) || plain[1].ID != "alone.txt:2" || plain[0].Label != "" || plain[0].Split != "" {
		t.Fatalf("%d rows, the second %+v", y.Rows, plain[1])
	}
	for i := range texts {
		a, b := x.Row(len(texts)-1-i), y.Row(i)
		for j := range a {
			if a[j] != b[j] {
				t.Fatalf("%q has other features: %g and %g", texts[i], a[j], b[j])
			}
		}
	}
	z, _ := extractRows(t, filepath.Join(dir, "z.npy"), "--data", data, "--no-cache", "--workers", "1", "--session-threads", "2", "--batch-tokens", "300")
	if !slices.Equal(z.Data, x.Data) {
		t.Error("the layout of the work shows in the rows")
	}
	h, _ := extractRows(t, filepath.Join(dir, "h.npy"), "--data", data, "--dtype", "float16")
	for i := range x.Data {
		if d := math.Abs(float64(h.Data[i] - x.Data[i])); d > math.Abs(float64(x.Data[i]))/1024+1e-7 {
			t.Fatalf("half of %g is %g", x.Data[i], h.Data[i])
		}
	}
	var done extracted
	graft(t, "", "extract", "--data", data, "--out", filepath.Join(dir, "s.npy"), "--store", "float16", "--json").want(t, exitOK).decode(t, &done)
	if done.Cached != 0 || done.Loss <= 0 || done.Loss > 1./2048 {
		t.Errorf("kept in half precision: %+v", done)
	}
	done = extracted{}
	out := filepath.Join(dir, "p")
	graft(t, "", "extract", "--data", data, "--out", out, "--as", "parquet", "--json").want(t, exitOK).decode(t, &done)
	if done.Rows != int64(x.Rows) || done.Cached != x.Rows || done.Cols != 192 || done.Feature == "" {
		t.Errorf("%+v", done)
	}
	got, err := parquet.ReadFile[struct {
		ID       string    `parquet:"id"`
		Label    string    `parquet:"label,optional"`
		Features []float32 `parquet:"features,list"`
	}](out)
	if err != nil || len(got) != x.Rows {
		t.Fatalf("%d rows, %v", len(got), err)
	}
	for i, r := range got {
		if r.ID != rows[i].ID || r.Label != rows[i].Label || r.Features[3] != x.Row(i)[3] || len(r.Features) != x.Cols {
			t.Fatalf("row %d: %+v", i, r)
		}
	}
}

func TestExtractPictures(t *testing.T) {
	dir := workplace(t)
	data := filepath.Join(dir, "pictures")
	if err := demo.DrawPictures(data, 1); err != nil {
		t.Fatal(err)
	}
	x, rows := extractRows(t, filepath.Join(dir, "x.safetensors"), "--data", data)
	if x.Cols != 256 || len(rows) != x.Rows || rows[0].Label == "" || !strings.Contains(rows[0].ID, rows[0].Label+"/") {
		t.Fatalf("%d×%d, %+v", x.Rows, x.Cols, rows[0])
	}
	class := filepath.Dir(filepath.Join(data, rows[0].ID))
	flat, plain := extractRows(t, filepath.Join(dir, "flat.npy"), "--data", class)
	if filepath.Base(rows[0].ID) != plain[0].ID || plain[0].Label != "" || flat.Row(0)[7] != x.Row(0)[7] {
		t.Errorf("a flat folder: %+v", plain[0])
	}
}

func TestExtractRefuses(t *testing.T) {
	dir := workplace(t)
	data := demoTexts(t, dir)
	out := filepath.Join(dir, "out")
	if err := os.Mkdir(out, 0o777); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "bad.tsv")
	if err := os.WriteFile(bad, []byte("label\ttext\na\tone\nb\t \n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code  int
		words string
		args  []string
	}{
		{exitUsage, "--data", []string{"--out", "x.npy"}},
		{exitUsage, "npy", []string{"--data", data, "--out", filepath.Join(out, "x.csv")}},
		{exitUsage, "is a folder", []string{"--data", data, "--out", out, "--as", "npy"}},
		{exitUsage, "float16", []string{"--data", data, "--out", filepath.Join(out, "x.npy"), "--dtype", "int8"}},
		{exitUsage, "float16", []string{"--data", data, "--out", filepath.Join(out, "x.npy"), "--store", "int8"}},
		{exitUsage, "--batch-tokens", []string{"--data", data, "--out", filepath.Join(out, "x.npy"), "--batch-tokens", "-1"}},
		{exitUsage, "half precision", []string{"--data", data, "--out", filepath.Join(out, "x.parquet"), "--dtype", "float16"}},
		{exitUsage, "none", []string{"--data", data, "--out", filepath.Join(out, "none", "x.npy")}},
		{exitData, "bad.tsv", []string{"--data", bad, "--out", filepath.Join(out, "x.npy")}},
		{exitData, "gone", []string{"--data", filepath.Join(dir, "gone"), "--out", filepath.Join(out, "x.npy")}},
		{exitData, "colour", []string{"--data", data, "--label", "colour", "--out", filepath.Join(out, "x.npy")}},
	} {
		graft(t, "", append([]string{"extract", "-q"}, c.args...)...).want(t, c.code, c.words)
	}
	if left, _ := os.ReadDir(out); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestInterruptExtract(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot send Ctrl-C to another on Windows")
	}
	dir := workplace(t)
	var b strings.Builder
	for range 20_000 {
		b.WriteString("a text that is there again and again\n")
	}
	data, place := filepath.Join(dir, "many.txt"), t.TempDir()
	if err := os.WriteFile(data, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, wait := range []time.Duration{300, 800} {
		code, stderr := interrupted(t, "", wait*time.Millisecond, "extract", "--no-cache", "--data", data, "--out", filepath.Join(place, "x.npy"))
		if left, _ := os.ReadDir(place); code != exitInterrupted || len(left) > 0 {
			t.Errorf("exit code %d, left behind %v\n%s", code, left, stderr)
		}
	}
}
