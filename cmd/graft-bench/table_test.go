package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMarkdown(t *testing.T) {
	got := markdown([]result{
		{Benchmark: "text", Command: "graft-bench -only text", Environment: map[string]string{"threads": "2", "cpu": "A"},
			Rows:    []row{compare("a | b", "texts/s", []float64{800, 820, 790}, "raw", []float64{810, 815, 805}, []float64{0.98, 1.01, 0.99}, "times as fast", atLeast(0.95), "how")},
			LeftOut: []string{"PyTorch: no Python"}},
		{Benchmark: "cache", Command: "graft-bench -only cache",
			Rows: []row{{Work: "rows read", Unit: "s", Graft: spread{0.2, 0.1, 0.3, 3}, Goal: atMost(0.15)}, {Work: "no goal", Graft: spread{1234, 1, 1, 1}}}},
	})
	want := `| work | graft | beside | its figure | ratio, median (min–max) | goal |
|---|---|---|---|---|---|
| a \| b | 800 texts/s | raw | 810 texts/s | 0.990 (0.980–1.01) times as fast | ≥ 0.950: met |
| rows read | 0.200 s | – | – | – | ≤ 0.150: missed |
| no goal | 1234 | – | – | – | – |

` + "`graft-bench -only text`" + ` · cpu A · threads 2
- a | b, raw: how
- left out: PyTorch: no Python

` + "`graft-bench -only cache`\n"
	if got != want {
		t.Errorf("the table is\n%s\nwant\n%s", got, want)
	}
}

func TestGoals(t *testing.T) {
	ratio := func(v float64) row { return row{Graft: spread{Median: 100}, Ratio: &spread{Median: v}} }
	for _, c := range []struct {
		row  row
		goal *goal
		met  bool
	}{
		{ratio(1.7), atLeast(1.7), true}, {ratio(1.69), atLeast(1.7), false},
		{ratio(1.2), atMost(1.2), true}, {ratio(1.21), atMost(1.2), false},
		{row{Graft: spread{Median: 0.9}}, atMost(1), true}, {row{Graft: spread{Median: 1.1}}, atMost(1), false},
		{ratio(5), nil, true},
	} {
		c.row.Goal = c.goal
		if c.row.met() != c.met {
			t.Errorf("%+v: met is %v, want %v", c.row, c.row.met(), c.met)
		}
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 2.4e-7: "2.4e-07", 0.1234: "0.123", 1.756: "1.76", 85.26: "85.3", 812.4: "812"} {
		if got := number(v); got != want {
			t.Errorf("number(%v) = %s, want %s", v, got, want)
		}
	}
}

// Results of several commands make one table, in the catalogue's order.
func TestSaveKeepsOtherResults(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "results")
	for _, name := range []string{"heads", "text", "heads"} {
		r := result{Benchmark: name, Command: name, Rows: []row{{Work: "work of " + name}}}
		if err := r.save(dir); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "table.md"))
	if err != nil {
		t.Fatal(err)
	}
	table := string(data)
	if strings.Count(table, "work of heads") != 1 || strings.Index(table, "work of text") > strings.Index(table, "work of heads") {
		t.Errorf("the table is\n%s\nwant text's row and then heads' one row", table)
	}
}
