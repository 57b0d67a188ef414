package main

import (
	"context"
	"fmt"
	"iter"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/rowfile"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/vision"
)

func extractCommand(a *app) *cobra.Command {
	var x extract
	cmd := &cobra.Command{
		Use:   "extract --data D --out F",
		Short: "Write the features of texts or pictures to a file",
		Long: "Compute the features a backbone gives, one row a text or picture in the data's order, and write them\n" +
			"for other tools: .npy (NumPy), .safetensors or .parquet. Data of any size streams through.\n\n" +
			"D is what graft finetune takes, and need not have labels: a table, a folder of tables or pictures, or a\n" +
			".txt file of one text a line. Parquet has the columns id, split, label and features; beside the other\n" +
			"formats F.rows.jsonl says what the rows are.",
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "data", "out"); err != nil {
				return err
			}
			return x.run(cmd.Context(), a)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&x.job.backbone, "backbone", "", "a model folder, an .onnx file, or a name of graft models list (default: the embedded one for the data)")
	flags.StringVar(&x.job.data, "data", "", "texts or pictures")
	flags.StringVar(&x.job.out, "out", "", "file to write")
	flags.StringVar(&x.as, "as", "", "npy, safetensors or parquet (default: by the file's extension)")
	flags.StringVar(&x.dtype, "dtype", "float32", "numbers of the file: float32, or float16 (npy and safetensors)")
	x.job.table.add(flags)
	x.job.feature.add(flags)
	x.job.text.add(flags)
	x.job.vision.add(flags)
	x.job.cache.add(flags)
	x.job.runtime.add(flags)
	x.job.speed.add(flags)
	return cmd
}

// extract is one extraction as the command line describes it.
type extract struct {
	job       job // its data, backbone and runtime
	as, dtype string
}

// extracted is what an extraction came to.
type extracted struct {
	Out      string  `json:"out"`
	Rows     int64   `json:"rows"`
	Cols     int     `json:"cols"`
	Type     string  `json:"dtype"`
	Backbone string  `json:"backbone"`
	Feature  string  `json:"feature"`
	Cached   int     `json:"cached"`               // rows that were computed before
	Loss     float64 `json:"store_loss,omitempty"` // relative, of the rows computed now, where they are kept in half precision
	Seconds  float64 `json:"seconds"`
}

func (x *extract) run(ctx context.Context, a *app) error {
	began := time.Now()
	s, err := x.settings()
	if err != nil {
		return err
	}
	data, err := dataset.OpenStream(ctx, x.job.data, x.job.table.settings())
	if err != nil {
		return asData(err)
	}
	source, err := x.job.source(data.Kind)
	if err != nil {
		return err
	}
	cache, err := x.job.cache.open()
	if err != nil {
		return err
	}
	store, err := x.job.cache.precision()
	if err != nil {
		return err
	}
	progress := a.newProgress()
	defer progress.finish()
	run := finetune.ExtractSettings{Cache: cache, Store: store, Progress: progress, Total: data.Total}
	var done extracted
	if data.Kind == dataset.Images {
		b, err := x.job.imageBackbone(source)
		if err != nil {
			return err
		}
		defer b.Model.Close()
		done, err = writeFeatures(ctx, a, x, b, data, func(path string) vision.Picture { return vision.Picture{Path: path} }, s, run)
		if err != nil {
			return err
		}
	} else {
		b, err := x.job.textBackbone(source)
		if err != nil {
			return err
		}
		defer b.Model.Close()
		done, err = writeFeatures(ctx, a, x, b, data, func(text string) string { return text }, s, run)
		if err != nil {
			return err
		}
	}
	progress.finish()
	done.Seconds = time.Since(began).Seconds()
	if a.json {
		return a.printJSON(done)
	}
	lost := ""
	if done.Loss > 0 {
		lost = ", " + halfLoss(done.Loss)
	}
	_, err = fmt.Fprintf(a.stdout, "%s: %d×%d %s, %d rows from the cache%s, %.1f s\n", done.Out, done.Rows, done.Cols, done.Type, done.Cached, lost, done.Seconds)
	return err
}

// halfLoss says what keeping rows in half precision cost.
func halfLoss(loss float64) string {
	return fmt.Sprintf("kept in half precision: off by %.1e of themselves", loss)
}

// settings checks the flags and the file's place.
func (x *extract) settings() (rowfile.Settings, error) {
	s := rowfile.Settings{Format: rowfile.Format(x.as), Half: x.dtype == "float16"}
	if x.dtype != "float32" && x.dtype != "float16" {
		return s, usagef("--dtype takes float32 or float16; got %q", x.dtype)
	}
	if err := x.job.speed.check(); err != nil {
		return s, err
	}
	if x.job.feature.tensor == autoFeature {
		return s, usagef("--feature auto tries layers on labels, as graft finetune does; name the tensor here")
	}
	if s.Format == "" {
		var err error
		if s.Format, err = rowfile.FormatOf(x.job.out); err != nil {
			return s, usageError{fmt.Errorf("--out: %w; or choose with --as", err)}
		}
	}
	if info, err := os.Stat(x.job.out); err == nil && info.IsDir() {
		return s, usagef("--out: %s is a folder, want a file", x.job.out)
	}
	w, err := rowfile.Create(x.job.out, s) // said before anything slow
	if err != nil {
		return s, usageError{err}
	}
	w.Abort()
	return s, nil
}

// writeFeatures streams the data through the backbone into the file.
func writeFeatures[T any](ctx context.Context, a *app, x *extract, b *finetune.Backbone[T], data *dataset.Stream, input func(string) T, s rowfile.Settings, run finetune.ExtractSettings) (extracted, error) {
	rt, err := x.job.runtime.open(ctx, a)
	if err != nil {
		return extracted{}, err
	}
	run.RuntimeID = runtimeID(rt)
	x.job.speed.apply(&run, rt, x.job.runtime.threads)
	s.Meta = map[string]string{"backbone": b.Name, "feature": b.Feature}
	out, err := rowfile.Create(x.job.out, s)
	if err != nil {
		return extracted{}, err
	}
	defer out.Abort()
	var window []rowfile.Row // what the inputs that are on their way are
	run.Name = func(i int) string { return window[i-int(out.Rows())].ID }
	stats, err := finetune.ExtractStream(ctx, x.job.runtime.sessions(rt), b, inputs(data.Rows, input, &window), run, func(rows heads.Matrix) error {
		err := out.Write(rows, window)
		window = window[:0]
		return err
	})
	if err != nil {
		return extracted{}, err
	}
	done := extracted{
		Out: x.job.out, Rows: out.Rows(), Cols: out.Cols(), Type: x.dtype, Backbone: b.Name, Feature: b.Feature, Cached: stats.Cached, Loss: stats.Loss,
	}
	return done, out.Commit()
}

// inputs hands on what the rows hold, and notes what they are.
func inputs[T any](rows iter.Seq2[dataset.StreamRow, error], input func(string) T, window *[]rowfile.Row) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for r, err := range rows {
			if err != nil {
				var none T
				yield(none, asData(err))
				return
			}
			row := rowfile.Row{ID: r.ID, Label: r.Label}
			if r.Part != dataset.All {
				row.Split = string(r.Part)
			}
			*window = append(*window, row)
			if !yield(input(r.Input), nil) {
				return
			}
		}
	}
}
