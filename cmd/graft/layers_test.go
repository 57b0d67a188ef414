package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/onnx-graft/graft/"

// mayUse lists, for each part of the house, the other parts it may stand on,
// directly or through others. A part is a package with everything below it,
// less what has a line of its own. The arrows point down: what is missing from
// a line is forbidden there.
var mayUse = map[string][]string{
	"onnx/storage":    {},
	"onnx":            {"onnx/storage"},
	"onnx/ort":        {"onnx", "onnx/storage"},
	"onnx/onnxgo":     {"onnx", "onnx/storage"},
	"onnx/autodiff":   {"onnx", "onnx/storage"},
	"onnx/quantize":   {"onnx", "onnx/storage"},
	"onnx/onnxtest":   {"onnx", "onnx/storage"},
	"heads":           {"onnx", "onnx/storage"},
	"vision":          {"onnx", "onnx/storage"},
	"text":            {"onnx", "onnx/storage"},
	"finetune":        {"heads", "onnx", "onnx/autodiff", "onnx/quantize", "onnx/storage"},
	"models":          {"onnx", "onnx/storage"},
	"cmd/graft":       {"finetune", "heads", "models", "onnx", "onnx/autodiff", "onnx/onnxgo", "onnx/ort", "onnx/quantize", "onnx/storage", "text", "vision"},
	"cmd/graft-bench": {"finetune", "heads", "models", "onnx", "onnx/autodiff", "onnx/onnxgo", "onnx/ort", "onnx/quantize", "onnx/storage", "text", "vision"},
}

// onlyUser names packages that a single part of the house may import.
var onlyUser = map[string]string{
	"C":                                "onnx/ort",
	"github.com/yalue/onnxruntime_go":  "onnx/ort",
	"github.com/owulveryck/onnx-go":    "onnx/onnxgo",
	module + "onnx/internal/pb":        "onnx",
	"google.golang.org/protobuf/proto": "onnx",
	"github.com/spf13/cobra":           "cmd/graft",
}

// part is the part of the house a package of ours belongs to, "" for others.
func part(pkg string) string {
	name, ours := strings.CutPrefix(pkg, module)
	if !ours {
		return ""
	}
	for name != "" {
		if _, ok := mayUse[name]; ok {
			return name
		}
		name = name[:max(0, strings.LastIndexByte(name, '/'))]
	}
	return "nowhere"
}

func TestArrowsPointDown(t *testing.T) {
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}}|{{join .Deps " "}}|{{join .Imports " "}}`, module+"...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimSpace(line), "|")
		pkg, deps, imports := fields[0], strings.Fields(fields[1]), strings.Fields(fields[2])
		from := part(pkg)
		if from == "nowhere" {
			t.Errorf("%s has no line in mayUse", pkg)
			continue
		}
		for _, dep := range deps {
			if to := part(dep); to != "" && to != from && !slices.Contains(mayUse[from], to) {
				t.Errorf("%s stands on %s: %s may not use %s", pkg, dep, from, to)
			}
		}
		for _, imported := range imports {
			if owner, ok := onlyUser[imported]; ok && owner != from {
				t.Errorf("%s imports %s, which is for %s alone", pkg, imported, owner)
			}
		}
	}
}
