package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/onnx-graft/graft/models/embedded"
	"github.com/onnx-graft/graft/onnx"
)

// thinBackbone writes a folder with a real tokenizer and a graph that costs next to nothing: each token's row of a table.
func thinBackbone(t *testing.T, dir string) {
	t.Helper()
	if err := os.CopyFS(dir, embedded.Text()); err != nil {
		t.Fatal(err)
	}
	const vocabulary, width = 10_000, 384
	table := make([]float32, vocabulary*width)
	for i := range table {
		table[i] = float32(i%1013) / 1013
	}
	m := &onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 17}}, Graph: &onnx.Graph{Name: "thin"}}
	b := onnx.NewBuilder(m)
	var ids *onnx.Value
	for _, name := range []string{"input_ids", "attention_mask", "token_type_ids"} {
		in := b.Input(name, onnx.Int64, onnx.Param("batch"), onnx.Param("length"))
		if ids == nil {
			ids = in
		}
	}
	words := b.Const("table", onnx.NewTensor("table", table, vocabulary, width))
	b.Output(b.Op("Gather", []*onnx.Value{words, ids}), "last_hidden_state")
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "model.onnx")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
}

// manyTexts writes a table of n different texts.
func manyTexts(t *testing.T, path string, n int) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := bufio.NewWriter(file)
	fmt.Fprintln(w, "label\ttext")
	for i := range n {
		fmt.Fprintf(w, "%d\tthis is text %d of many, and it has %d words more:", i%7, i, i%9)
		for range i % 9 {
			fmt.Fprint(w, " word")
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}

// peak runs graft in a process of its own and returns its largest resident set in MB.
func peak(t *testing.T, args ...string) int {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asGraft+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return int(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10)
}

// Features stream from the data through the backbone to the file: twice the rows take no more memory. GRAFT_TEST_ROWS=1000000
// measures more than the usual 140,000.
func TestExtractInBoundedMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	dir := workplace(t)
	backbone := filepath.Join(dir, "thin")
	thinBackbone(t, backbone)
	rows := 140_000
	if n, err := strconv.Atoi(os.Getenv("GRAFT_TEST_ROWS")); err == nil && n > 0 {
		rows = n
	}
	var used [2]int
	for i, n := range []int{rows / 2, rows} {
		data, out := filepath.Join(dir, "many.tsv"), filepath.Join(dir, "x.npy")
		manyTexts(t, data, n)
		used[i] = peak(t, "extract", "-q", "--backbone", backbone, "--data", data, "--out", out)
		want := int64(128 + n*384*4)
		if info, err := os.Stat(out); err != nil || info.Size() != want {
			t.Errorf("the file of %d rows: %v, want %d bytes", n, err, want)
		}
		os.Remove(out)
		graft(t, "", "cache", "clear").want(t, exitOK)
	}
	t.Logf("%d rows: %d MB; %d rows: %d MB", rows/2, used[0], rows, used[1])
	if used[1] > 1500 || used[1] > used[0]+used[0]/8+32 {
		t.Errorf("%d rows took %d MB, %d rows %d MB", rows/2, used[0], rows, used[1])
	}
}
