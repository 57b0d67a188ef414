package vision

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/onnx-graft/graft/onnx/onnxtest"
)

// BenchmarkPicture makes one 500×375 JPEG into a 3×224×224 float32 tensor, on one thread.
func BenchmarkPicture(b *testing.B) {
	for _, name := range []string{"p420_n01843383_toucan", "p420_n02028035_redshank", "p422_n01843383_toucan", "photos_n01843383_toucan", "pprog_n01843383_toucan"} {
		b.Run(name, func(b *testing.B) {
			path := onnxtest.Shared(b, "golden", "images", "inputs", name+".jpg")
			data, err := os.ReadFile(filepath.Clean(path))
			if err != nil {
				b.Fatal(err)
			}
			p := newPreprocessor(Defaults(224, 224), &Settings{Threads: 1})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Feeds([]Picture{{Data: data}}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pictures/s")
		})
	}
}
