// Package demo carries the small data graft shows itself on: short messages
// to a shop, written for this project, and pictures drawn by seeded code.
// Both come with a held-out test split and are laid out as any user's data is.
package demo

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"

	"github.com/onnx-graft/graft/onnx/storage"
)

//go:embed texts/train.tsv
var trainTexts []byte

//go:embed texts/test.tsv
var testTexts []byte

// WriteTexts writes the messages into dir as train.tsv (320 rows) and test.tsv
// (100 rows), each with the header "label<TAB>text" and four labels in equal
// numbers: account, delivery, fault, refund. Files that are there already are
// replaced.
func WriteTexts(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	for _, f := range []struct {
		name string
		data []byte
	}{{"train.tsv", trainTexts}, {"test.tsv", testTexts}} {
		if err := storage.WriteFile(filepath.Join(dir, f.name), f.data); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	return nil
}
