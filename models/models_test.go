package models

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestCardsAreWhole(t *testing.T) {
	seen := map[string]bool{MiniText: true, MiniImage: true}
	name, repo := regexp.MustCompile(`^[a-z0-9-]+$`), regexp.MustCompile(`^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$`)
	for _, c := range Catalogue() {
		if !name.MatchString(c.Name) || seen[c.Name] {
			t.Errorf("card name %q is odd or taken", c.Name)
		}
		seen[c.Name] = true
		if !repo.MatchString(c.Repo) || c.License == "" || c.Dim <= 0 || c.MB <= 0 || c.Input == "" || c.Task != Text && c.Task != Image {
			t.Errorf("%s: a fact is missing: %+v", c.Name, c)
		}
		places := map[string]bool{}
		for _, f := range c.Files {
			if places[f.local()] {
				t.Errorf("%s: two files at %s", c.Name, f.local())
			}
			places[f.local()] = true
		}
		if !places["model.onnx"] && !places["onnx/model.onnx"] {
			t.Errorf("%s: no model file", c.Name)
		}
		for file, text := range c.Written {
			if !json.Valid([]byte(text)) {
				t.Errorf("%s: %s is not JSON", c.Name, file)
			}
		}
	}
}

func TestResolve(t *testing.T) {
	hub := Hub{Dir: t.TempDir()}
	for _, name := range []string{MiniText, MiniImage} {
		s, err := hub.Resolve(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fs.Stat(s.FS, "model.onnx"); err != nil || s.Path != "" || s.Name != name {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	folder := t.TempDir()
	if s, err := hub.Resolve(folder); err != nil || s.Path != folder || s.FS != nil {
		t.Errorf("a folder: %+v, %v", s, err)
	}
	var absent *NotPulledError
	if _, err := hub.Resolve("minilm-l6"); !errors.As(err, &absent) || !strings.Contains(err.Error(), "graft models pull minilm-l6") {
		t.Errorf("not pulled: %v", err)
	}
	dir := filepath.Join(hub.Dir, "minilm-l6")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, sourceFile), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if s, err := hub.Resolve("minilm-l6"); err != nil || s.Path != dir || s.Task != Text {
		t.Errorf("pulled: %+v, %v", s, err)
	}
	if _, err := hub.Resolve("all-MiniLM"); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "minilm-l6") {
		t.Errorf("unknown: %v", err)
	}
}
