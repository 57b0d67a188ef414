package text

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/onnx/onnxtest"
)

// benchLines are English lines of the sizes that occur: sentences of film reviews and questions to a bank.
func benchLines(b *testing.B) []string {
	b.Helper()
	var lines []string
	for _, data := range []string{"sst2", "banking77"} {
		text, err := os.ReadFile(filepath.Join(onnxtest.Shared(b, "assets", "text-data", data), "train.tsv"))
		if err != nil {
			b.Fatal(err)
		}
		for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
			_, line, _ = strings.Cut(line, "\t")
			lines = append(lines, line)
		}
	}
	return lines
}

var benchModels = []struct{ name, file string }{
	{"WordPiece", "bert-uncased"}, {"ByteBPE", "gpt2"}, {"Unigram", "t5"}, {"SentencePieceBPE", "barthez"},
}

func benchTokenizer(b *testing.B, file string) *Tokenizer {
	b.Helper()
	t, err := LoadTokenizer(filepath.Join(onnxtest.Shared(b, "golden", "tokenizers", "files"), file+".json"))
	if err != nil {
		b.Fatal(err)
	}
	return t
}

// BenchmarkEncode encodes a line at a time, with offsets and all else; allocations are those of one line.
func BenchmarkEncode(b *testing.B) {
	lines := benchLines(b)
	for _, m := range benchModels {
		b.Run(m.name, func(b *testing.B) {
			t := benchTokenizer(b, m.file)
			b.ReportAllocs()
			size, i := 0, 0
			for b.Loop() {
				line := lines[i%len(lines)]
				if _, err := t.Encode(line, nil, EncodeOptions{}); err != nil {
					b.Fatal(err)
				}
				size += len(line)
				i++
			}
			b.ReportMetric(float64(size)/1e6/b.Elapsed().Seconds(), "MB/s")
		})
	}
}

// BenchmarkAppendIDs makes what a model needs: ids only.
func BenchmarkAppendIDs(b *testing.B) {
	lines := benchLines(b)
	for _, m := range benchModels {
		b.Run(m.name, func(b *testing.B) {
			t := benchTokenizer(b, m.file)
			b.ReportAllocs()
			var ids []int64
			size, i := 0, 0
			for b.Loop() {
				line := lines[i%len(lines)]
				var err error
				if ids, err = t.AppendIDs(ids[:0], line, 256); err != nil {
					b.Fatal(err)
				}
				size += len(line)
				i++
			}
			b.ReportMetric(float64(size)/1e6/b.Elapsed().Seconds(), "MB/s")
		})
	}
}

// BenchmarkThreads encodes all lines at once on one and on two cores.
func BenchmarkThreads(b *testing.B) {
	lines := benchLines(b)
	var inputs []Input
	size := 0
	for _, line := range lines {
		inputs = append(inputs, Input{Text: line})
		size += len(line)
	}
	for _, m := range benchModels {
		t := benchTokenizer(b, m.file)
		for threads := 1; threads <= 2; threads++ {
			b.Run(fmt.Sprintf("%s/%d", m.name, threads), func(b *testing.B) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
				for b.Loop() {
					if _, err := t.EncodeBatch(inputs, EncodeOptions{}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(size)*float64(b.N)/1e6/b.Elapsed().Seconds(), "MB/s")
			})
		}
	}
}

// BenchmarkLoad reads tokenizer.json.
func BenchmarkLoad(b *testing.B) {
	for _, m := range benchModels {
		b.Run(m.name, func(b *testing.B) {
			for b.Loop() {
				benchTokenizer(b, m.file)
			}
		})
	}
}
