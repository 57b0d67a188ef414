package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/onnx-graft/graft/onnx/storage"
)

// A row is one comparison: graft's figure, a peer's, and their ratio, or graft's figure alone.
type row struct {
	Work  string  `json:"work"`
	Unit  string  `json:"unit"` // of the figures: texts/s, s, MB, …
	Graft spread  `json:"graft"`
	Peer  string  `json:"peer,omitempty"` // "" where graft is measured alone
	Other *spread `json:"other,omitempty"`
	// Ratio is of the figures of one round each, in the direction Means says.
	Ratio *spread `json:"ratio,omitempty"`
	Means string  `json:"means,omitempty"` // "times as fast", "of the peer's time"
	Goal  *goal   `json:"goal,omitempty"`
	Note  string  `json:"note,omitempty"`
}

// A goal is what the ratio's median, or graft's own where there is no ratio, is to be.
type goal struct {
	AtLeast *float64 `json:"at_least,omitempty"`
	AtMost  *float64 `json:"at_most,omitempty"`
}

func atLeast(v float64) *goal { return &goal{AtLeast: &v} }
func atMost(v float64) *goal  { return &goal{AtMost: &v} }

// met tells whether the row reaches its goal; rows without one do.
func (r row) met() bool {
	figure := r.Graft.Median
	if r.Ratio != nil {
		figure = r.Ratio.Median
	}
	switch {
	case r.Goal == nil:
		return true
	case r.Goal.AtLeast != nil:
		return figure >= *r.Goal.AtLeast
	default:
		return figure <= *r.Goal.AtMost
	}
}

// A result is what one benchmark left in the results' folder.
type result struct {
	Benchmark   string            `json:"benchmark"`
	Command     string            `json:"command"` // that gives it again
	Environment map[string]string `json:"environment"`
	Rows        []row             `json:"rows"`
	LeftOut     []string          `json:"left_out,omitempty"` // what could not be measured, and why
}

// save writes a result and the table of all results in the folder.
func (r result) save(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := storage.WriteFile(filepath.Join(dir, r.Benchmark+".json"), append(data, '\n')); err != nil {
		return err
	}
	all, err := readResults(dir)
	if err != nil {
		return err
	}
	return storage.WriteFile(filepath.Join(dir, "table.md"), []byte(markdown(all)))
}

// readResults reads the results in a folder, in the order of the catalogue.
func readResults(dir string) ([]result, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var all []result
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var r result
		if err := json.Unmarshal(data, &r); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, r)
	}
	place := func(r result) int {
		return slices.IndexFunc(catalogue, func(b benchmark) bool { return b.name == r.Benchmark })
	}
	slices.SortStableFunc(all, func(a, b result) int { return cmp.Compare(place(a), place(b)) })
	return all, nil
}

// markdown is the table of results, with what is to be known of each below it.
func markdown(all []result) string {
	if len(all) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| work | graft | beside | its figure | ratio, median (min–max) | goal |\n|---|---|---|---|---|---|\n")
	for _, r := range all {
		for _, row := range r.Rows {
			b.WriteString(row.markdown())
		}
	}
	for _, r := range all {
		fmt.Fprintf(&b, "\n`%s`", r.Command)
		for _, key := range slices.Sorted(mapKeys(r.Environment)) {
			fmt.Fprintf(&b, " · %s %s", key, r.Environment[key])
		}
		b.WriteString("\n")
		for _, row := range r.Rows {
			if row.Note != "" {
				fmt.Fprintf(&b, "- %s: %s\n", about(row), row.Note)
			}
		}
		for _, missing := range r.LeftOut {
			fmt.Fprintf(&b, "- left out: %s\n", missing)
		}
	}
	return b.String()
}

func about(r row) string {
	if r.Peer == "" {
		return r.Work
	}
	return r.Work + ", " + r.Peer
}

func (r row) markdown() string {
	cells := []string{r.Work, figure(r.Graft, r.Unit), cmp.Or(r.Peer, "–"), "–", "–", "–"}
	if r.Other != nil {
		cells[3] = figure(*r.Other, r.Unit)
	}
	if r.Ratio != nil {
		cells[4] = fmt.Sprintf("%s (%s–%s) %s", number(r.Ratio.Median), number(r.Ratio.Min), number(r.Ratio.Max), r.Means)
	}
	if g := r.Goal; g != nil {
		sign, v := "≤", g.AtMost
		if g.AtLeast != nil {
			sign, v = "≥", g.AtLeast
		}
		verdict := "met"
		if !r.met() {
			verdict = "missed"
		}
		cells[5] = fmt.Sprintf("%s %s: %s", sign, number(*v), verdict)
	}
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(c, "|", `\|`)
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

// figure is a median with its unit.
func figure(s spread, unit string) string { return strings.TrimSpace(number(s.Median) + " " + unit) }

// number writes three digits that matter.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a == 0:
		return "0"
	case a < 1e-3:
		return fmt.Sprintf("%.1e", v)
	case a < 1:
		return fmt.Sprintf("%.3f", v)
	case a < 10:
		return fmt.Sprintf("%.2f", v)
	case a < 100:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}
