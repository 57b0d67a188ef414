package main

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/onnx-graft/graft/models"
)

// benchMemory measures the peak memory of graft extract by the number of texts: it must not grow with it.
func benchMemory(ctx context.Context, b *bench) (report, error) {
	var out report
	const most = 1500 // MB
	dir, err := os.MkdirTemp("", "graft-bench-*")
	if err != nil {
		return out, err
	}
	defer os.RemoveAll(dir)
	graft, err := b.graftCommand(ctx, dir)
	if err != nil {
		return out, err
	}
	for _, n := range []int{b.size(100_000, 2000), b.size(1_000_000, 20_000)} {
		data := filepath.Join(dir, "texts.tsv")
		if err := writeSynthetic(data, n); err != nil {
			return out, err
		}
		debug.FreeOSMemory() // a child's peak begins with that of the process it is started from
		if err := resetPeak(); err != nil {
			b.say("  %v: the figures may hold what was measured before", err)
		}
		took, err := b.runGraft(ctx, graft, filepath.Join(dir, "cache"), "extract", "--quiet", "--backbone", models.MiniText, "--data", data, "--out", filepath.Join(dir, "features.npy"))
		if err != nil {
			return out, err
		}
		b.say("  %d texts: %.0f MB, %.1f s", n, took.mb, took.seconds)
		out.rows = append(out.rows, row{
			Work: fmt.Sprintf("peak memory of `graft extract`, %d synthetic texts, %s", n, models.MiniText), Unit: "MB", Graft: spreadOf([]float64{took.mb}), Goal: atMost(most),
			Note: fmt.Sprintf("%.1f s", took.seconds),
		})
	}
	return out, nil
}

// writeSynthetic writes n different texts of a few words.
func writeSynthetic(file string, n int) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	r := rand.New(rand.NewPCG(3, 3))
	words := strings.Fields("the parcel came late again my order was wrong please help with this bill I never got a refund thank you")
	fmt.Fprintln(w, "label\ttext")
	for i := range n {
		fmt.Fprintf(w, "%d\t%d", i%2, i)
		for range 3 + r.IntN(6) {
			w.WriteByte(' ')
			w.WriteString(words[r.IntN(len(words))])
		}
		w.WriteByte('\n')
	}
	if err := w.Flush(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
