package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onnx-graft/graft/onnx/ort"
	"github.com/onnx-graft/graft/onnx/storage"
	"github.com/onnx-graft/graft/vision"
)

func doctorCommand(a *app) *cobra.Command {
	var rt runtimeFlags
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say which ONNX Runtime is used, and what is wrong and how to mend it",
		Long:  "Say which ONNX Runtime library is in use, what it can compute with, where the cache is, and what is\nwrong with the one command that mends it. Nothing is downloaded.",
		Args:  none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := examine(cmd.Context(), a, &rt)
			if a.json {
				return errors.Join(a.printJSON(report), err)
			}
			return errors.Join(a.printHealth(report), err)
		},
	}
	rt.add(cmd.Flags())
	return cmd
}

// health is the answer of doctor --json.
type health struct {
	ONNXRuntime struct {
		Version string `json:"version"`
		Path    string `json:"path"`
		Source  string `json:"source"`
	} `json:"onnxruntime"`
	Providers   []string `json:"providers"`
	JPEGDecoder string   `json:"jpeg_decoder"`
	Cache       string   `json:"cache"`
	CacheBytes  int64    `json:"cache_bytes"`
	Problems    []string `json:"problems"`
}

// unwell is the error of a doctor that found problems, which are printed with
// the results.
type unwell struct{ first error }

func (e *unwell) Error() string { return "the doctor found problems; see above" }
func (e *unwell) Unwrap() error { return e.first }

// examine fills the report. Its error is an *unwell, or nil.
func examine(ctx context.Context, a *app, flags *runtimeFlags) (health, error) {
	r := health{Providers: []string{}, Problems: []string{}, JPEGDecoder: vision.JPEGDecoder()}
	var first error
	problem := func(err error) {
		r.Problems = append(r.Problems, err.Error())
		if first == nil {
			first = err
		}
	}
	s := flags.settings(a)
	lib, err := ort.Find(s)
	if err == nil {
		r.ONNXRuntime.Version, r.ONNXRuntime.Path, r.ONNXRuntime.Source = lib.Version, lib.Path, string(lib.Source)
		s.Offline = true
		var rt *ort.Runtime
		if rt, err = ort.Open(ctx, s); err == nil {
			r.ONNXRuntime.Version, r.Providers = rt.Version(), rt.Providers()
		}
	}
	if err != nil {
		problem(err)
	}
	if r.Cache, r.CacheBytes, err = cacheState(); err != nil {
		problem(err)
	}
	if first != nil {
		return r, &unwell{first}
	}
	return r, nil
}

// cacheState returns the cache's folder and size, and an error where it cannot
// be written to.
func cacheState() (dir string, bytes int64, err error) {
	dir, err = storage.CacheRoot()
	if err != nil {
		return "", 0, err
	}
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if info, err := d.Info(); err == nil {
			bytes += info.Size()
		}
		return nil
	})
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = writable(dir)
	}
	if err != nil {
		return dir, bytes, fmt.Errorf("the cache %s cannot be used: %w\nto mend it: export %s=FOLDER, one that may be written to", dir, err, storage.CacheEnv)
	}
	return dir, bytes, nil
}

// writable tries to write to dir.
func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func (a *app) printHealth(r health) error {
	runtime := "none"
	if r.ONNXRuntime.Path != "" {
		runtime = fmt.Sprintf("%s, %s (%s)", r.ONNXRuntime.Version, r.ONNXRuntime.Path, r.ONNXRuntime.Source)
	}
	rows := [][]string{
		{"ONNX Runtime", runtime},
		{"providers", strings.Join(r.Providers, ", ")},
		{"JPEG decoder", r.JPEGDecoder},
		{"cache", fmt.Sprintf("%s, %.1f MB", r.Cache, float64(r.CacheBytes)/1e6)},
	}
	if err := a.printTable(rows...); err != nil {
		return err
	}
	for _, p := range r.Problems {
		if _, err := fmt.Fprintf(a.stdout, "\nproblem: %s\n", p); err != nil {
			return err
		}
	}
	if len(r.Problems) == 0 {
		_, err := fmt.Fprintln(a.stdout, "no problems")
		return err
	}
	return nil
}
