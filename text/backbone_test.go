package text

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/onnx-graft/graft/models/embedded"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/onnxtest"
)

func feedOf(t *testing.T, b *Preprocessor, name string, batch ...string) ([]int64, []int64) {
	t.Helper()
	feeds, err := b.Feeds(batch)
	if err != nil {
		t.Fatal(err)
	}
	v, err := onnx.View[int64](feeds[name])
	if err != nil {
		t.Fatal(err)
	}
	return v, feeds[name].Shape
}

func TestMini(t *testing.T) {
	b, err := OpenFS(embedded.Text(), Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if b.MaxLength != 256 || b.Pooling != onnx.PoolMean || b.Dim != 192 {
		t.Errorf("max length %d, pooling %q, dimension %d; want 256, mean, 192", b.MaxLength, b.Pooling, b.Dim)
	}
	if out := b.Model.Graph.Outputs; len(out) != 1 || out[0].Name != "features" {
		t.Errorf("outputs %v, want features", out)
	}
	ids, shape := feedOf(t, b.Preprocessor, "input_ids", "a good film", "bad")
	mask, _ := feedOf(t, b.Preprocessor, "attention_mask", "a good film", "bad")
	types, _ := feedOf(t, b.Preprocessor, "token_type_ids", "a good film", "bad")
	if !slices.Equal(shape, []int64{2, 5}) {
		t.Fatalf("shape %v, want [2 5]", shape)
	}
	if want := []int64{1, 1, 1, 1, 1, 1, 1, 1, 0, 0}; !slices.Equal(mask, want) {
		t.Errorf("mask %v, want %v", mask, want)
	}
	if slices.Max(types) != 0 || ids[8] != 0 || ids[9] != 0 || ids[0] != ids[5] {
		t.Errorf("ids %v, types %v", ids, types)
	}
	if n := b.Size(strings.Repeat("word ", 1000)); n != 256 {
		t.Errorf("size of a long text is %d, want 256", n)
	}
	if n := b.Size("bad"); n != 3 {
		t.Errorf("size of one word is %d, want 3", n)
	}
}

// TestFilesReopen writes the files of an export and opens them: same length, same ids, whatever the original limits.
func TestFilesReopen(t *testing.T) {
	for _, dir := range []string{"minilm-l6", "chrome_topics_bert_l6_h96"} {
		b, err := Open(onnxtest.Shared(t, "assets", "text-models", dir), Settings{})
		if err != nil {
			t.Fatal(err)
		}
		reopen(t, b)
	}
}

func reopen(t *testing.T, b *Backbone) {
	t.Helper()
	files, err := b.Files()
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(out, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	config, err := json.Marshal(b.Config())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out, "config.json"), config, 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := OpenPreprocessor(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Bind(b.Model); err != nil {
		t.Fatal(err)
	}
	if p.MaxLength != b.MaxLength || p.Tokenizer.Truncation.MaxLength != b.MaxLength || p.Tokenizer.Padding != nil {
		t.Errorf("reopened: max length %d, truncation %v; want %d", p.MaxLength, p.Tokenizer.Truncation, b.MaxLength)
	}
	text := strings.Repeat("Ünïcode, wörds & 中文! ", 100)
	want, _ := feedOf(t, b.Preprocessor, "input_ids", text, "short")
	got, _ := feedOf(t, p, "input_ids", text, "short")
	if !slices.Equal(got, want) {
		t.Error("reopened: other ids")
	}
	again, err := OpenPreprocessor(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Bind(b.Model); err != nil {
		t.Fatal(err)
	}
	if again.Fingerprint() != p.Fingerprint() {
		t.Error("two fingerprints for one folder")
	}
}

// TestMaxLength follows the trap of all-MiniLM-L6-v2: three files say three lengths, and sentence-transformers takes 256.
func TestMaxLength(t *testing.T) {
	b, err := Open(onnxtest.Shared(t, "assets", "text-models", "minilm-l6"), Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if b.MaxLength != 256 || b.Tokenizer.Truncation.MaxLength != 128 {
		t.Errorf("max length %d, want 256; tokenizer.json %d, want 128", b.MaxLength, b.Tokenizer.Truncation.MaxLength)
	}
	for _, c := range []struct {
		tokenizer, config, sentence string
		want                        int
	}{
		{`{"model_max_length": 512}`, `{"max_position_embeddings": 128}`, ``, 128},
		{`{"model_max_length": 1000000000000000019884624838656}`, `{"max_position_embeddings": 512}`, ``, 512},
		{`{"model_max_length": 512}`, `{"max_position_embeddings": 514, "model_type": "roberta"}`, ``, 512},
		{`{}`, `{"max_position_embeddings": 514, "model_type": "roberta", "pad_token_id": 1}`, ``, 512},
		{`{"model_max_length": 512}`, `{}`, `{"max_seq_length": 75}`, 75},
		{`{"model_max_length": 64}`, `{"max_position_embeddings": 512}`, `{"max_seq_length": 128}`, 128},
		{`{}`, `{}`, ``, 0},
	} {
		files := fstest.MapFS{"tokenizer_config.json": {Data: []byte(c.tokenizer)}, "config.json": {Data: []byte(c.config)}}
		if c.sentence != "" {
			files["sentence_bert_config.json"] = &fstest.MapFile{Data: []byte(c.sentence)}
		}
		f, err := openFolder(files)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.maxLength(); got != c.want {
			t.Errorf("%+v: max length %d", c, got)
		}
	}
}

func TestPoolingOfModules(t *testing.T) {
	for _, c := range []struct {
		config string
		want   onnx.Pooling
	}{
		{`{"pooling_mode_mean_tokens": true}`, onnx.PoolMean},
		{`{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}`, onnx.PoolCLS},
		{`{"pooling_mode_max_tokens": true}`, onnx.PoolMax},
		{`{"pooling_mode_lasttoken": true}`, onnx.PoolLast},
		{`{"pooling_mode": "cls"}`, onnx.PoolCLS},
		{`{"pooling_mode_mean_sqrt_len_tokens": true}`, ""},
		{`{"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": true}`, ""},
	} {
		f, err := openFolder(fstest.MapFS{
			"modules.json": {Data: []byte(`[{"path": "", "type": "sentence_transformers.models.Transformer"},
				{"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
				{"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]`)},
			"1_Pooling/config.json": {Data: []byte(c.config)},
		})
		if err != nil {
			t.Fatal(err)
		}
		p, err := f.pooling()
		var unsupported *UnsupportedError
		if c.want == "" {
			if !errors.As(err, &unsupported) || !strings.Contains(err.Error(), "1_Pooling/config.json") {
				t.Errorf("%s: error %v, want one that names the file", c.config, err)
			}
			continue
		}
		if err != nil || p.mode != c.want || !p.normalize {
			t.Errorf("%s: %+v, %v; want %q and normalize", c.config, p, err, c.want)
		}
	}
}

// TestBareVocab reads a vocabulary without any other file, as the .onnx of an old release comes, and gives the ids that
// the complete folder gives.
func TestBareVocab(t *testing.T) {
	dir := onnxtest.Shared(t, "assets", "text-models", "minilm-l6")
	whole, err := LoadTokenizer(dir)
	if err != nil {
		t.Fatal(err)
	}
	vocab, err := os.ReadFile(filepath.Join(dir, "vocab.txt"))
	if err != nil {
		t.Fatal(err)
	}
	bare, err := LoadTokenizerFS(fstest.MapFS{"vocab.txt": {Data: vocab}}, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"Hello, Wörld! [MASK] it's", "中文 and \u0301 marks", "", "a\x00b\u200bc"} {
		a, errA := whole.Encode(text, &text, EncodeOptions{})
		b, errB := bare.Encode(text, &text, EncodeOptions{})
		if errA != nil || errB != nil || !slices.Equal(a.IDs, b.IDs) || !slices.Equal(a.TypeIDs, b.TypeIDs) {
			t.Errorf("%q: %v %v, want %v %v", text, b, errB, a, errA)
		}
	}
}

// TestCausal opens a model that has no attention mask: pooling brings one along.
func TestCausal(t *testing.T) {
	m, err := onnx.Load(filepath.Join(onnxtest.Shared(t, "assets", "text-models", "stories260k_llama"), "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	mini, err := OpenPreprocessorFS(embedded.Text())
	if err != nil {
		t.Fatal(err)
	}
	b := &Backbone{Preprocessor: mini, Model: m}
	if err := b.prepare(Settings{Pooling: onnx.PoolLast, MaxLength: 16}); err != nil {
		t.Fatal(err)
	}
	mask, shape := feedOf(t, b.Preprocessor, "attention_mask", "one two three", "one")
	if shape[0] != 2 || slices.Equal(mask[:shape[1]], mask[shape[1]:]) {
		t.Errorf("mask %v of shape %v", mask, shape)
	}
}

func TestOpenErrors(t *testing.T) {
	mini := embedded.Text()
	if _, err := Open(filepath.Join(t.TempDir(), "nothing"), Settings{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	if _, err := OpenFS(fstest.MapFS{"config.json": {Data: []byte("{}")}}, Settings{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := OpenFS(fstest.MapFS{"config.json": {Data: []byte("{")}, "model.onnx": {}}, Settings{}); err == nil ||
		!strings.Contains(err.Error(), "config.json") {
		t.Errorf("a broken config.json: %v", err)
	}
	p, err := OpenPreprocessorFS(mini)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Feeds([]string{"a"}); err == nil {
		t.Error("Feeds before Bind: no error")
	}
	m := &onnx.Model{Graph: &onnx.Graph{Inputs: []*onnx.Value{{Name: "input_ids", Type: onnx.Int64}, {Name: "past_key", Type: onnx.Float32}}}}
	var unsupported *UnsupportedError
	if err := p.Bind(m); !errors.As(err, &unsupported) || !strings.Contains(err.Error(), "past_key") {
		t.Errorf("an input of another kind: %v", err)
	}
	if err := p.Bind(&onnx.Model{Graph: &onnx.Graph{}}); !errors.As(err, &unsupported) {
		t.Errorf("a model without inputs: %v", err)
	}
}
