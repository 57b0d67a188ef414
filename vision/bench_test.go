package vision

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"os"
	"testing"

	"github.com/onnx-graft/graft/onnx/onnxtest"
)

// BenchmarkPicture makes 500×375 JPEGs into 3×224×224 float32 tensors, 16 a batch, on one thread. "drawn" needs no files;
// the others are photos of different sampling and quality.
func BenchmarkPicture(b *testing.B) {
	b.Run("drawn", func(b *testing.B) { benchmark(b, photo(b), 1) })
	for _, name := range []string{"p420_n01843383_toucan", "p420_n02028035_redshank", "p422_n01843383_toucan", "pprog_n01843383_toucan"} {
		b.Run(name, func(b *testing.B) {
			data, err := os.ReadFile(onnxtest.Shared(b, "golden", "images", "inputs", name+".jpg"))
			if err != nil {
				b.Fatal(err)
			}
			benchmark(b, data, 1)
		})
	}
}

// BenchmarkThreads does the drawn one on one thread and on two.
func BenchmarkThreads(b *testing.B) {
	data := photo(b)
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprint(threads), func(b *testing.B) { benchmark(b, data, threads) })
	}
}

func benchmark(b *testing.B, data []byte, threads int) {
	p := newPreprocessor(Defaults(224, 224), &Settings{Threads: threads})
	batch := make([]Picture, 16)
	for i := range batch {
		batch[i].Data = data
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Feeds(batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(batch))/b.Elapsed().Seconds(), "pictures/s")
}

// photo draws a 500×375 picture with slopes, edges and a little noise, as a JPEG of sampling 4:2:0 and about 60 KB.
func photo(b *testing.B) []byte {
	m := image.NewRGBA(image.Rect(0, 0, 500, 375))
	noise := uint32(1)
	for y := range 375 {
		for x := range 500 {
			noise = noise*1664525 + 1013904223
			v := 110 + 60*math.Sin(float64(x)/23)*math.Cos(float64(y)/31) + float64(40*((x/50+y/40)%2)) + float64(noise>>28)
			m.SetRGBA(x, y, color.RGBA{R: uint8(v), G: uint8(v * 0.8), B: uint8(255 - v), A: 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 90}); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}
