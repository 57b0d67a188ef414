package vision

import (
	"bytes"
	"image"
	"image/png"
	"testing"

	"github.com/onnx-graft/graft/onnx"
)

func plain(t testing.TB, shade uint8) Picture {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 40, 30))
	for i := range img.Pix {
		img.Pix[i] = shade + uint8(i%13)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return Picture{Data: b.Bytes()}
}

// What was given back is used again, and nothing of it shows.
func TestRecycledTensorsAreLikeFreshOnes(t *testing.T) {
	p := newPreprocessor(Transform{Resize: ResizeExact, Size: image.Pt(32, 32)}, &Settings{})
	batches := [][]Picture{{plain(t, 3), plain(t, 90), plain(t, 200)}, {plain(t, 50)}, {plain(t, 51), plain(t, 52)}}
	var want [][]byte
	for _, b := range batches {
		feeds, err := p.Feeds(b)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, bytes.Clone(feeds[p.Input.Name].Data))
	}
	for round := range 5 {
		for i, b := range batches {
			feeds, err := p.Feeds(b)
			if err != nil {
				t.Fatal(err)
			}
			x := feeds[p.Input.Name]
			if !bytes.Equal(x.Data, want[i]) || x.Shape[0] != int64(len(b)) {
				t.Fatalf("round %d, batch %d: other bytes", round, i)
			}
			p.Recycle(feeds)
		}
	}
	p.Recycle(nil)
	p.Recycle(onnx.Feeds{"another": nil})
}

func BenchmarkFeedsRecycled(b *testing.B) {
	p := newPreprocessor(Transform{Resize: ResizeExact, Size: image.Pt(224, 224)}, &Settings{})
	batch := []Picture{plain(b, 3), plain(b, 90), plain(b, 200), plain(b, 7)}
	b.ReportAllocs()
	for b.Loop() {
		feeds, err := p.Feeds(batch)
		if err != nil {
			b.Fatal(err)
		}
		p.Recycle(feeds)
	}
}
