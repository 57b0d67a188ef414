package main

import (
	"bytes"
	"fmt"
	"image/png"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onnx-graft/graft/finetune/rowfile"
	"github.com/onnx-graft/graft/models"
	"github.com/onnx-graft/graft/onnx/storage"
	"github.com/onnx-graft/graft/vision"
)

// preprocessBatch is how many pictures are in memory at a time.
const preprocessBatch = 32

func preprocessCommand(a *app) *cobra.Command {
	var backbone, out string
	var views bool
	var s visionFlags
	cmd := &cobra.Command{
		Use:   "preprocess --backbone B IMAGES… --out x.npy",
		Short: "Write the tensor a backbone gets of pictures",
		Long: "Write the tensor (N×C×H×W, or N×H×W×C where the graph wants that) a backbone gets of pictures, as a\n" +
			"NumPy file, and with --png each picture as the model sees it, beside it as x.0.png, x.1.png, …\n" +
			"IMAGES are files, or folders of them.",
		Args: atLeast(1, "one picture or more"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := required(cmd, "out"); err != nil {
				return err
			}
			source, err := models.Hub{}.Resolve(backbone)
			if err != nil {
				return err
			}
			b, err := openVision(source, s.settings())
			if err != nil {
				return err
			}
			defer b.Model.Close()
			pictures, err := picturesOf(args)
			if err != nil {
				return err
			}
			shape, err := a.preprocess(cmd, b.Preprocessor, pictures, out)
			if err == nil && views {
				err = writeViews(b.Preprocessor, pictures, strings.TrimSuffix(out, ".npy"))
			}
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(map[string]any{"out": out, "shape": shape, "rows": len(pictures)})
			}
			_, err = fmt.Fprintf(a.stdout, "%s: %v\n", out, shape)
			return err
		},
	}
	cmd.Flags().StringVar(&backbone, "backbone", models.MiniImage, "image backbone: a folder, an .onnx file, or a name of graft models list")
	cmd.Flags().StringVar(&out, "out", "", "file to write, .npy")
	cmd.Flags().BoolVar(&views, "png", false, "write each picture as the model sees it, too")
	s.add(cmd.Flags())
	return cmd
}

// picturesOf lists picture files, those in folders included.
func picturesOf(names []string) ([]vision.Picture, error) {
	var list []vision.Picture
	for _, name := range names {
		files, err := filesBelow(name, isPicture)
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, &dataError{fmt.Errorf("%s: no pictures below this folder", name)}
		}
		for _, f := range files {
			list = append(list, vision.Picture{Path: f})
		}
	}
	return list, nil
}

// preprocess writes the array file and returns its shape.
func (a *app) preprocess(cmd *cobra.Command, p *vision.Preprocessor, pictures []vision.Picture, out string) ([]int64, error) {
	file, err := storage.Create(out)
	if err != nil {
		return nil, err
	}
	defer file.Abort()
	bar := a.newMeter("pictures")
	defer bar.finish()
	var shape []int64
	for at := 0; at < len(pictures); at += preprocessBatch {
		if err := cmd.Context().Err(); err != nil {
			return nil, err
		}
		batch := pictures[at:min(at+preprocessBatch, len(pictures))]
		t, err := p.Tensor(batch)
		if err != nil {
			return nil, err
		}
		if shape == nil {
			shape = append([]int64{int64(len(pictures))}, t.Shape[1:]...)
			head, err := rowfile.NPYHeader(t.Type, shape...)
			if err != nil {
				return nil, err
			}
			if _, err := file.Write(head); err != nil {
				return nil, err
			}
		} else if fmt.Sprint(t.Shape[1:]) != fmt.Sprint(shape[1:]) {
			return nil, &dataError{fmt.Errorf("%s comes out at %v, those before at %v", batch[0], t.Shape[1:], shape[1:])}
		}
		if _, err := file.Write(t.Data); err != nil {
			return nil, err
		}
		bar.set("preprocess", int64(at+len(batch)), int64(len(pictures)))
	}
	return shape, file.Commit()
}

// writeViews writes what the model sees of each picture to base.0.png, ….
func writeViews(p *vision.Preprocessor, pictures []vision.Picture, base string) error {
	for i, picture := range pictures {
		view, err := p.View(picture)
		if err != nil {
			return err
		}
		var buf bytes.Buffer
		if err := png.Encode(&buf, view); err != nil {
			return err
		}
		if err := storage.WriteFile(fmt.Sprintf("%s.%d.png", base, i), buf.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
