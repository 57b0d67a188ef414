package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGeneratedCodeIsUpToDate(t *testing.T) {
	out := filepath.Join(t.TempDir(), "onnx.gen.go")
	if err := run(filepath.Join("..", "onnx.proto"), out); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile(filepath.Join("..", "onnx.gen.go"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Error("onnx.gen.go is not what onnx.proto gives: run go generate ./onnx/internal/pb")
	}
}

func TestGenerateRefuses(t *testing.T) {
	for name, c := range map[string]struct{ schema, want string }{
		"syntax":        {"message {", "found"},
		"unknown type":  {`syntax = "proto2"; message M { optional Nothing x = 1; }`, "M.x: type Nothing"},
		"large number":  {`syntax = "proto2"; message M { optional int64 x = 32; }`, "field number 32"},
		"missing in it": {`syntax = "proto2"; message M { optional double x = 1; }`, "type double"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := generate(strings.NewReader(c.schema))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
