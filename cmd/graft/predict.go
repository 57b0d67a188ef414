package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/models"
)

// predictBatch is how many inputs are answered together at most. Fewer are,
// where no more have come yet: nobody waits for the next line.
const predictBatch = 256

func predictCommand(a *app) *cobra.Command {
	var p prediction
	cmd := &cobra.Command{
		Use:   "predict --model O [FILES…]",
		Short: "Classify texts or pictures with a fine-tuned model",
		Long: "Answer with the model in a folder that graft finetune wrote: with a class, labels, a number, or the\n" +
			"entities of a text and the characters they reach from and to. For texts, FILES are read one text a\n" +
			"line, or one pair with a tab between, and so is standard input where there are none. For pictures,\n" +
			"FILES are pictures or folders of them, and standard input has a path a line. Answers come in order,\n" +
			"as soon as they are known.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := required(cmd, "model"); err != nil {
				return err
			}
			return p.run(cmd.Context(), a, args)
		},
	}
	cmd.Flags().StringVar(&p.model, "model", "", "folder of the model")
	p.runtime.add(cmd.Flags())
	return cmd
}

// A prediction is one run of predict as the command line describes it.
type prediction struct {
	model   string
	runtime runtimeFlags
}

func (p *prediction) run(ctx context.Context, a *app, files []string) error {
	task, err := classifierTask(p.model)
	if err != nil {
		return err
	}
	read, err := inputsOf(task, files, a.stdin)
	if err != nil {
		return err
	}
	rt, err := p.runtime.open(ctx, a)
	if err != nil {
		return err
	}
	c, err := openClassifier(p.runtime.sessions(rt), task, p.model, finetune.ExtractSettings{Workers: p.runtime.threads})
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	inputs, failed := make(chan string, predictBatch), make(chan error, 1)
	go func() {
		defer close(inputs)
		failed <- read(func(input string) error {
			select {
			case inputs <- input:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	if err := a.answer(ctx, c, inputs); err != nil {
		return err
	}
	return <-failed
}

// answer prints a prediction for each input, in order, taking together what
// has come so far.
func (a *app) answer(ctx context.Context, c classifier, inputs <-chan string) error {
	out := bufio.NewWriter(a.stdout)
	for {
		batch, more, err := gather(ctx, inputs)
		if err != nil {
			return err
		}
		if len(batch) > 0 {
			answers, err := c.predict(ctx, batch)
			if err != nil {
				return err
			}
			for _, p := range answers {
				if err := a.printPrediction(out, p); err != nil {
					return err
				}
			}
			if err := out.Flush(); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
	}
}

// gather waits for one input and takes what else is there.
func gather(ctx context.Context, inputs <-chan string) (batch []string, more bool, err error) {
	select {
	case first, ok := <-inputs:
		if !ok {
			return nil, false, nil
		}
		batch = append(batch, first)
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	for len(batch) < predictBatch {
		select {
		case next, ok := <-inputs:
			if !ok {
				return batch, false, nil
			}
			batch = append(batch, next)
		default:
			return batch, true, nil
		}
	}
	return batch, true, nil
}

func (a *app) printPrediction(w io.Writer, p finetune.Prediction) error {
	if a.json {
		return encodeLine(w, p)
	}
	input := p.Input
	if p.Second != "" {
		input += "\t" + p.Second
	}
	var err error
	switch {
	case p.Value != nil:
		_, err = fmt.Fprintf(w, "%s\t%s\n", metrics.Figure(*p.Value), input)
	case p.Labels != nil:
		_, err = fmt.Fprintf(w, "%s\t%s\n", orDash(strings.Join(p.Labels, ", ")), input)
	case p.Entities != nil:
		_, err = fmt.Fprintf(w, "%s\t%s\n", orDash(entityList(p.Entities)), input)
	default:
		_, err = fmt.Fprintf(w, "%s\t%.4f\t%s\n", orDash(p.Label), p.Score, input)
	}
	return err
}

// entityList writes entities with the characters they reach from and to.
func entityList(entities []finetune.Entity) string {
	parts := make([]string, len(entities))
	for i, e := range entities {
		parts[i] = fmt.Sprintf("%s %d:%d %s", e.Type, e.Start, e.End, e.Text)
	}
	return strings.Join(parts, "; ")
}

// orDash stands for nothing.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// inputsOf returns a function that hands every input to its argument: texts,
// or paths of pictures.
func inputsOf(task models.Task, files []string, stdin io.Reader) (func(func(string) error) error, error) {
	if len(files) == 0 {
		return func(f func(string) error) error { return eachText("standard input", stdin, f) }, nil
	}
	wanted := isText
	if task == models.Image {
		wanted = isPicture
	}
	var list []string
	for _, name := range files {
		found, err := filesBelow(name, wanted)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, &dataError{fmt.Errorf("%s: no %s below this folder", name, task.Plural())}
		}
		list = append(list, found...)
	}
	if task == models.Image {
		return func(f func(string) error) error {
			for _, path := range list {
				if err := f(path); err != nil {
					return err
				}
			}
			return nil
		}, nil
	}
	for _, name := range list {
		if ext := strings.ToLower(filepath.Ext(name)); slices.Contains(tableNames, ext) {
			return nil, &dataError{fmt.Errorf("%s is a table: predict takes files of one text a line; to judge a model on a labelled table use graft evaluate", name)}
		}
	}
	return func(f func(string) error) error {
		for _, name := range list {
			if err := textsOf(name, f); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// tableNames are the endings of files that hold more than one text a line.
var tableNames = []string{".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"}

func isText(name string) bool { return strings.EqualFold(filepath.Ext(name), ".txt") }

// textsOf hands every line of a file to f.
func textsOf(name string, f func(string) error) error {
	file, err := os.Open(name)
	if err != nil {
		return &dataError{err}
	}
	defer file.Close()
	return eachText(name, file, f)
}

// eachText hands every line to f. Empty lines are an error: a text must say
// something, and leaving one out would shift the answers.
func eachText(name string, r io.Reader, f func(string) error) error {
	return eachLine(r, func(n int, line string) error {
		line = strings.TrimSuffix(line, "\r")
		if strings.TrimSpace(line) == "" {
			return &dataError{fmt.Errorf("%s, line %d: %w", name, n, errors.New("the line is empty"))}
		}
		return f(line)
	})
}
