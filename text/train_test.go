package text

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onnx-graft/graft/onnx/onnxtest"
)

// TestTrainWordPiece learns from the text that the reference's trainer learned testdata/golden/wordpiece.json from. The two
// break ties differently, so the vocabularies agree up to what ties decide.
func TestTrainWordPiece(t *testing.T) {
	texts := trainedTexts(t)[:32]
	got, err := TrainWordPiece(context.Background(), slices.Values(texts), WordPieceSettings{Size: 500, MinFrequency: 1})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("testdata/golden/wordpiece.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Model struct{ Vocab map[string]int }
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	same := 0
	for token := range want.Model.Vocab {
		if _, ok := got.model.Vocabulary().ID(token); ok {
			same++
		}
	}
	if n := len(want.Model.Vocab); same < n*97/100 || got.Size() != n {
		t.Errorf("%d of %d tokens are the reference's; size %d", same, n, got.Size())
	}
	t.Logf("%d of %d tokens are the reference's", same, len(want.Model.Vocab))
	again, err := TrainWordPiece(context.Background(), slices.Values(texts), WordPieceSettings{Size: 500, MinFrequency: 1})
	if err != nil {
		t.Fatal(err)
	}
	if string(again.source.vocab) != string(got.source.vocab) {
		t.Error("the same texts gave two vocabularies")
	}
}

// TestTrainedFiles saves what was learned and loads it again.
func TestTrainedFiles(t *testing.T) {
	tok, err := TrainWordPiece(context.Background(), slices.Values(trainedTexts(t)), WordPieceSettings{Size: 700, Cased: true, MaxLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	files, err := tok.Files()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	again, err := LoadTokenizer(dir)
	if err != nil {
		t.Fatal(err)
	}
	const text = "The Gärtner grafts a Baum!"
	a, errA := tok.Encode(text, nil, EncodeOptions{})
	b, errB := again.Encode(text, nil, EncodeOptions{})
	if errA != nil || errB != nil || !slices.Equal(a.IDs, b.IDs) || again.MaxLength != 32 {
		t.Errorf("%v %v, %v %v, max length %d", a, errA, b, errB, again.MaxLength)
	}
	if s := again.Decode(b.IDs, true); s != text {
		t.Errorf("decoded %q, want %q", s, text)
	}
}

func TestTrainErrors(t *testing.T) {
	none := slices.Values([]string{"", "  "})
	if _, err := TrainWordPiece(context.Background(), none, WordPieceSettings{}); err == nil {
		t.Error("no words: no error")
	}
	if _, err := TrainWordPiece(context.Background(), none, WordPieceSettings{Size: 3}); err == nil {
		t.Error("no room: no error")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := TrainWordPiece(ctx, slices.Values([]string{"a"}), WordPieceSettings{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestTrainSpeed learns 8,000 tokens from the 17,000 texts of two data sets.
func TestTrainSpeed(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	var texts []string
	for _, data := range []string{"sst2", "banking77"} {
		text, err := os.ReadFile(filepath.Join(onnxtest.Shared(t, "assets", "text-data", data), "train.tsv"))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, strings.Split(string(text), "\n")...)
	}
	start := time.Now()
	tok, err := TrainWordPiece(context.Background(), slices.Values(texts), WordPieceSettings{Size: 8000})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d texts, %d tokens, %v", len(texts), tok.Size(), time.Since(start))
	if d := time.Since(start); d > time.Minute {
		t.Errorf("took %v", d)
	}
}
