package finetune

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/onnx-graft/graft/finetune/tune"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/storage"
)

// sidecars are the files of a backbone's folder that are kept beside its trained graph, by their extension or their name; most
// is the size in bytes up to which they are. Weights in other forms are not: they are those of before.
var (
	sidecars          = []string{".json", ".txt", ".model", ".spm", ".jinja", "LICENSE", "NOTICE"}
	mostSidecar int64 = 64 << 20
)

// SaveBackbone writes a trained backbone alone to the folder dir: the graph it was opened from, original, with the weights
// that a training has changed, as file (model.onnx, or onnx/model.onnx), and the small files of its folder from, such as its
// tokenizer. So it can be opened in place of the original, for the next task. check opens the folder again before it
// appears at dir, and returns the model that gives features; it must be r.Model to the last bit.
func SaveBackbone(dir string, r *tune.Result, original *onnx.Model, from fs.FS, file string, check func(dir string) (*onnx.Model, error)) error {
	m := original.Clone()
	place := map[string]int{}
	for i, t := range m.Graph.Initializers {
		place[t.Name] = i
	}
	for _, t := range r.Changed {
		at, ok := place[t.Name]
		if !ok {
			return fmt.Errorf("finetune: save backbone: weight %q is not one of the original graph", t.Name)
		}
		m.Graph.Initializers[at] = t
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("finetune: save backbone: %s is not empty; choose another folder", dir)
	}
	folder, err := storage.NewFolder(dir)
	if err != nil {
		return fmt.Errorf("finetune: save backbone: %w", err)
	}
	defer folder.Abort()
	if err := copySidecars(folder.Path(), from); err != nil {
		return fmt.Errorf("finetune: save backbone: %w", err)
	}
	target := filepath.Join(folder.Path(), filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(target), 0o777); err != nil {
		return fmt.Errorf("finetune: save backbone: %w", err)
	}
	if err := m.Save(target); err != nil {
		return fmt.Errorf("finetune: save backbone: %w", err)
	}
	if err := sameModel(folder.Path(), r.Model, check); err != nil {
		return fmt.Errorf("finetune: save backbone: %w", err)
	}
	if err := folder.Commit(); err != nil {
		return fmt.Errorf("finetune: save backbone: %w", err)
	}
	return nil
}

// sameModel opens a folder and compares.
func sameModel(dir string, want *onnx.Model, open func(dir string) (*onnx.Model, error)) error {
	got, err := open(dir)
	if err != nil {
		return err
	}
	defer got.Close()
	a, err := modelDigest(got)
	if err != nil {
		return err
	}
	b, err := modelDigest(want)
	if err != nil {
		return err
	}
	if a != b {
		return fmt.Errorf("what was written does not open as the model that was trained")
	}
	return nil
}

// copySidecars copies the small files of a model's folder.
func copySidecars(dir string, from fs.FS) error {
	return fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.IsDir() && name != "." && strings.Count(name, "/") > 1 {
				return fs.SkipDir
			}
			return err
		}
		base := path.Base(name)
		info, err := d.Info()
		if err != nil || info.Size() > mostSidecar || !slices.Contains(sidecars, path.Ext(base)) && !slices.Contains(sidecars, strings.TrimSuffix(base, path.Ext(base))) {
			return err
		}
		data, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		target := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(target), 0o777); err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o666)
	})
}
