package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// result is what one command line gave.
type result struct {
	code           int
	stdout, stderr string
}

// graft runs a command line in this process.
func graft(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(context.Background(), args, strings.NewReader(stdin), &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// want checks the exit code and that standard error has all the words.
func (r result) want(t *testing.T, code int, words ...string) result {
	t.Helper()
	if r.code != code {
		t.Fatalf("exit code %d, want %d\nstdout: %s\nstderr: %s", r.code, code, r.stdout, r.stderr)
	}
	for _, w := range words {
		if !strings.Contains(r.stderr, w) {
			t.Errorf("standard error lacks %q:\n%s", w, r.stderr)
		}
	}
	return r
}

// decode reads standard output as one JSON value.
func (r result) decode(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.stdout), v); err != nil {
		t.Fatalf("standard output is not one JSON value: %v\n%s", err, r.stdout)
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args  []string
		words []string
	}{
		{[]string{"fintune"}, []string{`unknown command "fintune"`, "graft --help"}},
		{[]string{"models", "pul"}, []string{`unknown command "pul"`}},
		{[]string{"models", "list", "--colour"}, []string{"--colour", "graft models list --help"}},
		{[]string{"models", "list", "all"}, []string{"takes no arguments"}},
		{[]string{"models", "pull"}, []string{"takes one name"}},
		{[]string{"models", "pull", "alexnet"}, []string{"alexnet", "graft models list"}},
		{[]string{"models", "show", "alexnet"}, []string{"alexnet", "graft models list"}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			if r := graft(t, "", c.args...).want(t, exitUsage, c.words...); r.stdout != "" {
				t.Errorf("standard output has %q", r.stdout)
			}
		})
	}
}

func TestHelpNamesEveryExitCode(t *testing.T) {
	help := graft(t, "", "--help").want(t, exitOK).stdout
	for _, e := range exits {
		if !strings.Contains(help, e.means) {
			t.Errorf("help lacks exit code %d", e.code)
		}
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if r := graft(t, "", "completion", shell).want(t, exitOK); !strings.Contains(r.stdout, "graft") {
			t.Errorf("%s: %q", shell, r.stdout)
		}
	}
}

func TestModels(t *testing.T) {
	t.Setenv("GRAFT_CACHE", t.TempDir())
	var list []struct {
		Name, Task, License string
		Embedded            bool
	}
	graft(t, "", "models", "list", "--json").want(t, exitOK).decode(t, &list)
	embedded := 0
	for _, c := range list {
		if c.Embedded {
			embedded++
		}
		graft(t, "", "models", "show", c.Name).want(t, exitOK)
	}
	if embedded != 2 || len(list) < 12 {
		t.Errorf("%d cards, %d embedded", len(list), embedded)
	}
	graft(t, "", "models", "pull", "minilm-l6", "--offline").want(t, exitDownload, "network is off")
}

func TestModelsPull(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("GRAFT_CACHE", cache)
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/onnxmodelzoo/squeezenet1.1-7/resolve/main/") {
			http.NotFound(w, r)
			return
		}
		w.Write([]byte("a model"))
	}))
	defer hub.Close()
	var got struct{ Name, Path string }
	r := graft(t, "", "models", "pull", "squeezenet", "--hub", hub.URL, "--json").want(t, exitOK, "model.onnx")
	r.decode(t, &got)
	if want := filepath.Join(cache, "models", "squeezenet"); got.Path != want || got.Name != "squeezenet" {
		t.Errorf("pulled %+v, want path %s", got, want)
	}
	if data, err := os.ReadFile(filepath.Join(got.Path, "model.onnx")); err != nil || string(data) != "a model" {
		t.Errorf("model.onnx: %q, %v", data, err)
	}
	graft(t, "", "models", "pull", "resnet18", "--hub", hub.URL, "--quiet").want(t, exitDownload, "404")
	if r := graft(t, "", "models", "pull", "squeezenet", "--hub", hub.URL, "--quiet"); r.code != exitOK || r.stderr != "" {
		t.Errorf("quiet: %+v", r)
	}
}

func TestCache(t *testing.T) {
	dir := t.TempDir()
	var list []struct{ Key string }
	graft(t, "", "cache", "ls", "--cache", dir, "--json").want(t, exitOK).decode(t, &list)
	if list == nil || len(list) != 0 {
		t.Errorf("an empty cache lists %v", list)
	}
	graft(t, "", "cache", "clear", "--cache", dir).want(t, exitOK)
	graft(t, "", "cache", "prune", "--cache", dir, "--limit", "1.5GB").want(t, exitOK)
	graft(t, "", "cache", "prune", "--cache", dir, "--limit", "much").want(t, exitUsage, "much")
}

func TestParseSize(t *testing.T) {
	for s, want := range map[string]int64{"0": 0, "12": 12, "3B": 3, "500MB": 5e8, "1.5 GB": 15e8, "2kB": 2000, "1TB": 1e12} {
		if got, err := parseSize(s); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", "GB", "-1", "NaN", "1e30GB", "12 apples"} {
		if got, err := parseSize(s); err == nil {
			t.Errorf("%q was read as %d", s, got)
		}
	}
}
