package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/models/demo"
)

// Every way in which a fine-tune can be fed wrongly: the exit code, the words
// that must be in the message, and nothing at --out.
func TestFinetuneBadInput(t *testing.T) {
	dir := workplace(t)
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	texts := demoTexts(t, dir)
	rows := strings.Repeat("a,good one\nb,bad one\na,fine one\nb,poor one\n", 3)
	mini, err := os.ReadFile(filepath.Join("..", "..", "models", "embedded", "text", "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	pictures := filepath.Join(dir, "pictures")
	if err := demo.DrawPictures(pictures, 1); err != nil {
		t.Fatal(err)
	}
	write("pictures/train/cup/zz.jpg", "this is no picture")
	write("full/note.txt", "somebody's own")
	for _, c := range []struct {
		name  string
		args  []string
		code  int
		words []string
	}{
		{"no such data", []string{"--data", filepath.Join(dir, "nowhere")}, exitData, []string{"nowhere"}},
		{"a ragged row", []string{"--data", write("ragged.csv", "label,text\n"+rows+"a,one,more\n")}, exitData, []string{"ragged.csv", "14"}},
		{"an unknown column", []string{"--data", write("cols.csv", "label,text\n"+rows), "--text", "body"}, exitData, []string{"body", "label", "text"}},
		{"no obvious column", []string{"--data", write("odd.csv", "x,y\n"+rows)}, exitData, []string{"odd.csv"}},
		{"one class", []string{"--data", write("one.csv", "label,text\na,good one\na,fine one\na,well\n")}, exitData, []string{"one"}},
		{"a class of one example", []string{"--data", write("rare.csv", "label,text\n"+rows+"c,lonely\n")}, exitData, []string{"c"}},
		{"an empty text", []string{"--data", write("empty.csv", "label,text\n"+rows+"a,\n")}, exitData, []string{"empty.csv:14", "empty"}},
		{"no rows", []string{"--data", write("bare.csv", "label,text\n")}, exitData, []string{"bare.csv"}},
		{"bytes that are no text", []string{"--data", write("latin.csv", "label,text\na,caf\xe9\n")}, exitData, []string{"latin.csv", "UTF-8"}},
		{"a picture that is a text", []string{"--data", pictures}, exitData, []string{"zz.jpg"}},
		{"a backbone for pictures, data of texts", []string{"--data", texts, "--backbone", "mini-image"}, exitData, []string{"reads pictures", "holds texts"}},
		{"views of texts", []string{"--data", texts, "--augment", "2"}, exitUsage, []string{"--augment", "texts"}},
		{"operations without views", []string{"--data", pictures, "--rand-augment", "9"}, exitUsage, []string{"--augment 4"}},
		{"operations too strong", []string{"--data", pictures, "--augment", "1", "--rand-augment", "31"}, exitUsage, []string{"magnitude 31", "0 to 30"}},
		{"no such backbone", []string{"--data", texts, "--backbone", "mini-txt"}, exitModel, []string{"mini-txt", "graft models list"}},
		{"a backbone to be pulled first", []string{"--data", texts, "--backbone", "minilm-l6"}, exitModel, []string{"graft models pull minilm-l6"}},
		{"a truncated backbone", []string{"--data", texts, "--backbone", write("cut.onnx", string(mini[:len(mini)/2]))}, exitModel, []string{"cut.onnx"}},
		{"a backbone without a tokenizer", []string{"--data", texts, "--backbone", write("bare/model.onnx", string(mini))}, exitModel, []string{"tokenizer"}},
		{"no such feature", []string{"--data", texts, "--feature", "layer9"}, exitModel, []string{"layer9"}},
		{"no such pooling", []string{"--data", texts, "--pooling", "median"}, exitModel, []string{"median"}},
		{"no such library", []string{"--data", texts, "--onnxruntime", "/nowhere/libonnxruntime.so"}, exitRuntime, []string{"/nowhere/libonnxruntime.so", "to mend it"}},
		{"a library that is a text", []string{"--data", texts, "--onnxruntime", write("lib.so", "no library")}, exitRuntime, []string{"lib.so", "to mend it"}},
		{"a folder of somebody's", []string{"--data", texts, "--out", filepath.Join(dir, "full")}, exitFailure, []string{"full", "not empty"}},
		{"a proof that fails", []string{"--data", texts, "--tolerance", "1e-12"}, exitVerify, []string{"1e-12", "logits"}},
		{"no data", nil, exitUsage, []string{"--data"}},
		{"a C of none", []string{"--data", texts, "--C", "0"}, exitUsage, []string{"--C"}},
		{"an unknown head", []string{"--data", texts, "--head", "forest"}, exitUsage, []string{"forest", "logistic"}},
		{"a weight for an unknown class", []string{"--data", texts, "--class-weight", "angry=2"}, exitUsage, []string{"angry", "refund"}},
		{"a split of all", []string{"--data", texts, "--test-fraction", "1"}, exitUsage, []string{"--test-fraction"}},
		{"fewer threads than none", []string{"--data", texts, "--threads", "-1"}, exitUsage, []string{"--threads"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := filepath.Join(dir, "out")
			args := append([]string{"finetune", "--quiet", "--no-cache", "--out", out}, c.args...)
			if r := graft(t, "", args...).want(t, c.code, c.words...); r.stdout != "" {
				t.Errorf("standard output has %q", r.stdout)
			}
			left, err := filepath.Glob(filepath.Join(dir, "*out*"))
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %q, %v", left, err)
			}
		})
	}
	if note, err := os.ReadFile(filepath.Join(dir, "full", "note.txt")); err != nil || string(note) != "somebody's own" {
		t.Errorf("the full folder was touched: %q, %v", note, err)
	}
}
