package report

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

func written(t *testing.T, d *Data) map[string]string {
	t.Helper()
	dir, out := t.TempDir(), map[string]string{}
	if err := Write(dir, d); err != nil {
		t.Fatal(err)
	}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			var data []byte
			data, err = os.ReadFile(filepath.Join(dir, path))
			out[path] = string(data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestWrite: each figure is there as SVG and PNG, the numbers come back from JSON, and the same data give the same bytes
// on any number of cores; other times change nothing but the page and the files of times.
func TestWrite(t *testing.T) {
	for name, d := range fixtures(t) {
		first := written(t, d)
		for _, f := range figures(d) {
			for _, ext := range []string{".svg", ".png"} {
				if len(first["report/"+f.ID+ext]) < 100 {
					t.Errorf("%s: %s%s has %d bytes", name, f.ID, ext, len(first["report/"+f.ID+ext]))
				}
			}
		}
		var back Data
		if err := json.Unmarshal([]byte(first["report/report.json"]), &back); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if back.Timings = d.Timings; name != "hostile" && !reflect.DeepEqual(&back, d) { // JSON cannot hold what is no UTF-8
			t.Errorf("%s: other data come back from JSON", name)
		}
		before := runtime.GOMAXPROCS(1)
		again := written(t, d)
		runtime.GOMAXPROCS(before)
		later := *d
		later.Timings = []Timing{{"extract", 99}}
		slower := written(t, &later)
		for file, data := range first {
			if again[file] != data {
				t.Errorf("%s: %s has other bytes on one core", name, file)
			}
			if timed := file == PageFile || strings.HasPrefix(file, "report/timings."); !timed && slower[file] != data {
				t.Errorf("%s: %s depends on times", name, file)
			}
		}
	}
}

// outside matches whatever would make a browser fetch or run something.
var outside = regexp.MustCompile(`(?i)<script|<link|<iframe|<object|<embed|<base|@import|url\(|\son[a-z]+=|javascript:|https?://|src="[^d]|src="d[^a]|href=`)

// TestPageIsClosed: no page fetches, runs or links to anything, whatever is in the user's texts.
func TestPageIsClosed(t *testing.T) {
	for name, d := range fixtures(t) {
		html, err := Page(d)
		if err != nil {
			t.Fatal(err)
		}
		if found := outside.Find(html); found != nil && name != "hostile" {
			t.Errorf("%s: the page has %q", name, found)
		}
		// Within texts it is letters: no tag begins there.
		if bytes.Contains(html, []byte("<script")) || bytes.Contains(html, []byte("<img src=x")) || bytes.Contains(html, []byte("%!")) {
			t.Errorf("%s: a text is not escaped, or badly formatted", name)
		}
		for _, want := range []string{`name="viewport"`, `prefers-color-scheme:dark`, `lang="en"`, "default-src 'none'"} {
			if !bytes.Contains(html, []byte(want)) {
				t.Errorf("%s: the page lacks %s", name, want)
			}
		}
	}
}

// A folder that is not there is an error, not a panic.
func TestWriteNowhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Write(file, fixtures(t)["binary"]); err == nil {
		t.Error("written into a file")
	}
}
