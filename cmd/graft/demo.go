package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/models/demo"
)

func demoCommand(a *app) *cobra.Command {
	var out string
	var j job
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Fine-tune both embedded backbones on data that graft ships",
		Long: "Write the demo's data, fine-tune the embedded text and image backbones on it, and say how they do.\n" +
			"The texts are messages to a shop, the pictures are drawn by seeded code.",
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.demo(cmd.Context(), out, j)
		},
	}
	cmd.Flags().StringVar(&out, "out", "graft-demo", "folder to write data and models to")
	cmd.Flags().Uint64Var(&j.split.seed, "seed", 1, "seed of the pictures and of every random choice")
	j.cache.add(cmd.Flags())
	j.runtime.add(cmd.Flags())
	return cmd
}

// demos are the two fine-tunes of the demo.
var demos = []struct {
	name  string
	title string
	write func(dir string, seed uint64) error
}{
	{"text", "What a customer's message is about", func(dir string, _ uint64) error { return demo.WriteTexts(dir) }},
	{"image", "What a drawing shows", demo.DrawPictures},
}

// demo runs both with the flags of base.
func (a *app) demo(ctx context.Context, out string, base job) error {
	results := map[string]*finetune.Result{}
	for _, d := range demos {
		j := base
		j.data, j.out, j.title = filepath.Join(out, "data", d.name), filepath.Join(out, d.name), d.title
		j.head, j.split.test = defaultHead, defaultTest
		if err := d.write(j.data, j.split.seed); err != nil {
			return err
		}
		result, err := j.run(ctx, a)
		if err != nil {
			return err
		}
		results[d.name] = result
		if !a.json {
			fmt.Fprintf(a.stdout, "%s: %s\n", d.name, j.data)
			if err := a.printResult(result); err != nil {
				return err
			}
			fmt.Fprintln(a.stdout)
		}
	}
	if a.json {
		return a.printJSON(results)
	}
	_, err := fmt.Fprintf(a.stdout, "try: echo 'The zip broke after a week.' | graft predict --model %s\n     graft predict --model %s %s\n",
		results["text"].Out, results["image"].Out, filepath.Join(out, "data", "image", "test", "fish"))
	return err
}
