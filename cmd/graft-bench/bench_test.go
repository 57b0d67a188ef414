package main

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/onnxtest"
	"github.com/onnx-graft/graft/text"
)

func TestCommandLine(t *testing.T) {
	for _, args := range [][]string{{"-only", "texts"}, {"text"}, {"-threads", "0"}, {"-rounds", "-1"}, {"-nonsense"}} {
		var out, log bytes.Buffer
		if code := run(t.Context(), args, &out, &log); code != 2 || log.Len() == 0 {
			t.Errorf("%v: exit %d, said %q; want 2 and a reason", args, code, log.String())
		}
	}
	var out, log bytes.Buffer
	if code := run(t.Context(), []string{"-h"}, &out, &log); code != 0 {
		t.Errorf("-h: exit %d", code)
	}
	for _, name := range names() {
		if !strings.Contains(log.String(), "  "+name) {
			t.Errorf("-h does not name %s", name)
		}
	}
}

// The objective is the one Logistic minimises: the two agree at its optimum, with two classes and with more.
func TestObjectiveIsLogistics(t *testing.T) {
	for _, k := range []int{2, 5} {
		x, class := madeFeatures(300, 16, k)
		h := heads.Logistic{C: 1, Tol: 1e-8}
		if err := h.Fit(t.Context(), x, heads.Targets{Class: class, Classes: k}); err != nil {
			t.Fatal(err)
		}
		rows := k
		if k == 2 {
			rows = 1
		}
		got, want := objective(standardised(x), class, x.Cols, graftWeights(h.Linear(), x, rows)), h.Stats().Objective
		if math.Abs(got-want) > 1e-5*want {
			t.Errorf("%d classes: the objective is %v, Logistic's %v", k, got, want)
		}
	}
}

// Every text is in one batch, longest first, and none is larger than it may be.
func TestTextBatches(t *testing.T) {
	b, err := text.Open(onnxtest.Shared(t, "assets", "text-models", "minilm-l6"), text.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Model.Close()
	texts := []string{"short", "a somewhat longer sentence here", "two words", "one", strings.Repeat("very ", 60) + "long", "a b", "c d"}
	for _, padded := range []bool{false, true} {
		batches, err := textBatches(b, texts, 16, 384, padded)
		if err != nil {
			t.Fatal(err)
		}
		seen, last := map[int]bool{}, 1<<30
		for _, batch := range batches {
			n, long := int(batch.shape[0]), int(batch.shape[1])
			if n != len(batch.rows) || n > 1 && n*long > 16 || long > last {
				t.Errorf("padded %v: a batch of %d×%d for rows %v after one of length %d", padded, n, long, batch.rows, last)
			}
			last = long
			mask, err := onnx.View[int64](batch.feeds["attention_mask"])
			if err != nil {
				t.Fatal(err)
			}
			for i, row := range batch.rows {
				seen[row] = true
				tokens := 0
				for _, m := range mask[i*long : (i+1)*long] {
					tokens += int(m)
				}
				if tokens != b.Size(texts[row]) || !padded && tokens != long {
					t.Errorf("padded %v: row %d has %d of %d tokens, want %d", padded, row, tokens, long, b.Size(texts[row]))
				}
			}
		}
		if len(seen) != len(texts) {
			t.Errorf("padded %v: %d of %d texts are in a batch", padded, len(seen), len(texts))
		}
	}
}
