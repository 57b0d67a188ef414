package finetune

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/storage"
)

// A Candidate is a model to be exported, and what it must prove.
type Candidate[T any] struct {
	Backbone *Backbone[T]
	Head     heads.Head // fitted on the backbone's features
	Target   dataset.Target
	Pairs    bool      // it reads pairs of inputs
	Labels   []string  // in the order of the logits
	Decision *Decision // nil: the largest logit is the answer

	Proof    []dataset.Example[T] // held-out rows
	Features heads.Matrix         // their features, as the head was judged on

	Record Record // becomes run.json, and with Card README.md
	Card   Card
}

// ExportSettings say what is written.
type ExportSettings struct {
	Probabilities bool // a second output, probabilities
	Verify        VerifySettings
	// Pure is a second runtime that the head alone must give the same answers in, unless it lacks an operator of the head's;
	// nil: that is not asked.
	Pure     onnx.Runtime
	Progress Progress
	// Report writes what people look at into the folder that has passed, before it appears at its place; nil: nothing.
	Report func(dir string, verified VerifyResult) error
}

// Export writes a folder: model.onnx, which is backbone and head in one graph, config.json, the backbone's files, a model
// card and run.json. It then proves the written files with [Verify], always, and only a folder that has passed appears at
// out, whole, in place of an older one. Otherwise nothing of it remains and an older folder stays as it is.
//
// out must not exist, or be empty, or be a folder that Export wrote.
func Export[T any](ctx context.Context, rt onnx.Runtime, out string, c Candidate[T], s ExportSettings) (VerifyResult, error) {
	progress := orQuiet(s.Progress)
	progress.Start(Exporting, 0)
	if c.Backbone.Reopen == nil {
		return VerifyResult{}, fmt.Errorf("finetune: export: backbone %s has no Reopen; what is written could not be verified", c.Backbone.Name)
	}
	if err := exportable(out); err != nil {
		return VerifyResult{}, err
	}
	goal, err := goalOf(c.Target)
	if err != nil {
		return VerifyResult{}, err
	}
	goal = withDecision(goal, c.Decision)
	want, err := c.Head.Predict(c.Features)
	if err != nil {
		return VerifyResult{}, fmt.Errorf("finetune: export: %w", err)
	}
	if want.Cols != len(c.Labels) || len(c.Proof) == 0 {
		return VerifyResult{}, fmt.Errorf("finetune: export: %d×%d logits for %d held-out rows and %d labels", want.Rows, want.Cols, len(c.Proof), len(c.Labels))
	}
	var alone errgroup.Group // the head's own proof needs nothing that is written, and takes as long as writing
	defer alone.Wait()
	if s.Pure != nil {
		alone.Go(func() error {
			return verifyHead(ctx, s.Pure, c.Head, c.Features, want, c.Backbone.Model.Opset(""), goal, s.Verify.Tolerance)
		})
	}
	folder, err := storage.NewFolder(out)
	if err != nil {
		return VerifyResult{}, fmt.Errorf("finetune: export: %w", err)
	}
	defer folder.Abort()
	if err := c.write(folder.Path(), goal, s.Probabilities); err != nil {
		return VerifyResult{}, fmt.Errorf("finetune: export: %w", err)
	}
	result, err := Verify(ctx, rt, folder.Path(), c.Backbone.Reopen, c.Proof, want, s.Verify)
	if err != nil {
		return result, err
	}
	if err := verifyDecision(ctx, rt, folder.Path(), goal, want, s.Verify.Tolerance); err != nil {
		return result, err
	}
	var lacks *onnx.UnsupportedError
	switch err := alone.Wait(); {
	case errors.As(err, &lacks):
		progress.Warn("the head was not computed by a second runtime, which lacks what it is made of: " + lacks.Error())
	case err != nil:
		return result, err
	}
	if s.Report != nil {
		if err := s.Report(folder.Path(), result); err != nil {
			return result, err
		}
	}
	if err := ctx.Err(); err != nil {
		return result, fmt.Errorf("finetune: export: %w", err)
	}
	if err := folder.Commit(); err != nil {
		return result, fmt.Errorf("finetune: export: %w", err)
	}
	return result, nil
}

// exportable refuses to replace a folder that is not a model's.
func exportable(out string) error {
	entries, err := os.ReadDir(out)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("finetune: export: %w", err)
	}
	for _, name := range []string{modelFile, recordFile} {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			return fmt.Errorf("finetune: export: %s is not empty and not a model that graft wrote (no %s); choose another folder", out, name)
		}
	}
	return nil
}

// write fills a folder.
func (c *Candidate[T]) write(dir string, g goal, probabilities bool) error {
	m, err := exportedGraph(c.Backbone.Model, c.Head, c.Features.Cols, formOf[T](c.Target, c.Pairs), g, probabilities)
	if err != nil {
		return err
	}
	if err := m.Save(filepath.Join(dir, modelFile)); err != nil {
		return err
	}
	files := map[string][]byte{}
	for name, data := range c.Backbone.Files {
		files[name] = data
	}
	if files[configFile], err = exportedConfig(c.Backbone.Task, g.problem(), c.Pairs, c.Backbone.Config, c.Labels, c.Decision); err != nil {
		return err
	}
	if files[recordFile], err = indented(c.Record); err != nil {
		return err
	}
	if files[cardFile], err = c.Card.markdown(c.Record); err != nil {
		return err
	}
	for name, data := range files {
		if !filepath.IsLocal(name) {
			return fmt.Errorf("the backbone's file %q lies outside the folder", name)
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o666); err != nil {
			return err
		}
	}
	return nil
}
