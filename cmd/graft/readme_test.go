package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func readme(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestReadmeHasTheExitCodes(t *testing.T) {
	text := readme(t)
	for _, e := range exits {
		if row := fmt.Sprintf("| %d | %s |", e.code, e.means); !strings.Contains(text, row) {
			t.Errorf("README.md lacks the line %q", row)
		}
	}
}

// Commands and flags that the README names exist.
func TestReadmeNamesWhatThereIs(t *testing.T) {
	for _, line := range regexp.MustCompile(`(?m)^(?:.*\| )?graft [a-z]+ .*$`).FindAllString(readme(t), -1) {
		words := strings.Fields(line[strings.Index(line, "graft "):])
		help := graft(t, "", words[1], "--help").want(t, exitOK).stdout
		for _, w := range words {
			if strings.HasPrefix(w, "--") && !strings.Contains(help, w+" ") {
				t.Errorf("%s: graft %s has no %s", line, words[1], w)
			}
		}
	}
}

// The library program of the README compiles.
func TestReadmeProgramCompiles(t *testing.T) {
	block := regexp.MustCompile("(?s)```go\n(.*?)```").FindStringSubmatch(readme(t))
	if block == nil {
		t.Fatal("README.md has no Go program")
	}
	imports := []string{"context", "fmt"}
	for _, p := range []string{"finetune", "finetune/dataset", "onnx/onnxgo", "onnx/ort", "text", "vision"} {
		if strings.Contains(block[1], filepath.Base(p)+".") {
			imports = append(imports, module+p)
		}
	}
	file := filepath.Join(t.TempDir(), "main.go")
	program := "package main\n\nimport (\n\t\"" + strings.Join(imports, "\"\n\t\"") + "\"\n)\n\nfunc check(error) {}\n\nfunc main() {\n" + block[1] + "}\n"
	if err := os.WriteFile(file, []byte(program), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "vet", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s\n%s", err, out, program)
	}
}
