package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onnx-graft/graft/text"
)

func tokenizeCommand(a *app) *cobra.Command {
	var name string
	var jsonl bool
	var o text.EncodeOptions
	cmd := &cobra.Command{
		Use:   "tokenize --tokenizer DIR|FILE",
		Short: "Print the tokens a model sees, one JSON object for each line of standard input",
		Long: "Read texts from standard input, one a line, and print for each a JSON object with ids, tokens,\n" +
			"offsets (in characters), attention_mask and token_type_ids. With --jsonl the lines are objects\n" +
			`{"text": …, "pair": …}, pair being optional.`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "tokenizer"); err != nil {
				return err
			}
			if o.Truncation.MaxLength < 0 {
				return usagef("--max-length takes a number of 0 or more")
			}
			t, err := text.LoadTokenizer(name)
			if err != nil {
				return &modelError{err}
			}
			return a.tokenize(cmd, t, jsonl, o)
		},
	}
	cmd.Flags().StringVar(&name, "tokenizer", "", "a model folder, tokenizer.json, vocab.txt, vocab.json or SentencePiece model")
	cmd.Flags().BoolVar(&jsonl, "jsonl", false, "lines are JSON objects with text and pair")
	cmd.Flags().BoolVar(&o.NoSpecial, "no-special", false, "add no special tokens")
	cmd.Flags().IntVar(&o.Truncation.MaxLength, "max-length", 0, "cut to so many tokens (default: no limit)")
	return cmd
}

// encodingJSON is one line of tokenize's answer.
type encodingJSON struct {
	IDs           []int32  `json:"ids"`
	Tokens        []string `json:"tokens"`
	Offsets       [][2]int `json:"offsets"`
	AttentionMask []int32  `json:"attention_mask"`
	TokenTypeIDs  []int32  `json:"token_type_ids"`
}

func (a *app) tokenize(cmd *cobra.Command, t *text.Tokenizer, jsonl bool, o text.EncodeOptions) error {
	out := bufio.NewWriter(a.stdout)
	err := eachLine(a.stdin, func(n int, line string) error {
		if err := cmd.Context().Err(); err != nil {
			return err
		}
		in := text.Input{Text: line}
		if jsonl {
			var err error
			if in, err = parseInput(line); err != nil {
				return &dataError{fmt.Errorf("standard input, line %d: %w", n, err)}
			}
		}
		e, err := t.Encode(in.Text, in.Pair, o)
		if err != nil {
			return fmt.Errorf("standard input, line %d: %w", n, err)
		}
		j := encodingJSON{IDs: e.IDs, Tokens: e.Tokens(), Offsets: make([][2]int, len(e.Offsets)), AttentionMask: e.AttentionMask, TokenTypeIDs: e.TypeIDs}
		for i, span := range e.Offsets {
			j.Offsets[i] = [2]int{span.Start, span.End}
		}
		return encodeLine(out, j)
	})
	return errors.Join(err, out.Flush())
}

// parseInput reads {"text": …, "pair": …}.
func parseInput(line string) (text.Input, error) {
	var in struct{ Text, Pair *string }
	dec := json.NewDecoder(strings.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return text.Input{}, fmt.Errorf(`want an object {"text": …, "pair": …}: %w`, err)
	}
	if in.Text == nil {
		return text.Input{}, errors.New(`the object has no "text"`)
	}
	return text.Input{Text: *in.Text, Pair: in.Pair}, nil
}

// dataError is a fault in what the user gave as data.
type dataError struct{ error }

func (e *dataError) Unwrap() error { return e.error }

// eachLine calls f for every line of r, numbered from 1, without the newline.
func eachLine(r io.Reader, f func(n int, line string) error) error {
	lines := bufio.NewReaderSize(r, 1<<16)
	for n := 1; ; n++ {
		line, err := lines.ReadString('\n')
		if err != nil && err != io.EOF {
			return err
		}
		if line == "" && err == io.EOF {
			return nil
		}
		if ferr := f(n, strings.TrimSuffix(line, "\n")); ferr != nil {
			return ferr
		}
		if err == io.EOF {
			return nil
		}
	}
}
