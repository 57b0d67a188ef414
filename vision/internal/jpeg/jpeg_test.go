package jpeg

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The integer transform stays within one of the cosine sums of T.81, A.3.3, for blocks as pictures have them.
func TestInverse(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		var b [64]int32
		for range 1 + n%20 {
			b[r.IntN(64)] = int32(r.IntN(400) - 200)
		}
		want := cosines(&b)
		out := make([]byte, 8*11)
		inverse(&b, out, 11)
		for i, w := range want {
			if d := math.Abs(float64(out[i/8*11+i%8]) - w); d > 1 {
				t.Fatalf("block %d, sample %d: %d, by cosines %.3f", n, i, out[i/8*11+i%8], w)
			}
		}
	}
}

// A flat block is what the whole transform makes of it.
func TestFlat(t *testing.T) {
	for dc := int32(-1500); dc <= 1500; dc++ {
		var a, b [64]byte
		flat(dc, a[:], 8)
		inverse(&[64]int32{dc}, b[:], 8)
		if a != b {
			t.Fatalf("%d: %v, %v", dc, a[0], b[0])
		}
	}
}

func cosines(b *[64]int32) [64]float64 {
	var out [64]float64
	c := func(u int) float64 {
		if u == 0 {
			return math.Sqrt2 / 2
		}
		return 1
	}
	for y := range 8 {
		for x := range 8 {
			sum := 0.0
			for v := range 8 {
				for u := range 8 {
					sum += c(u) * c(v) * float64(b[8*v+u]) *
						math.Cos(float64((2*x+1)*u)*math.Pi/16) * math.Cos(float64((2*y+1)*v)*math.Pi/16)
				}
			}
			out[8*y+x] = min(max(math.Round(sum/4+128), 0), 255)
		}
	}
	return out
}

// Every code of a table is read back, whatever its length; what is no code is refused.
func TestHuffman(t *testing.T) {
	counts := [17]int{1: 1, 2: 1, 4: 1, 9: 1, 10: 2, 15: 3, 16: 1}
	symbols := []byte{10, 1, 2, 3, 4, 5, 6, 7, 8, 0x21}
	var h huffman
	if !h.build(&counts, symbols) {
		t.Fatal("refused")
	}
	code, k := 0, 0
	for n := 1; n <= 16; n++ {
		for range counts[n] {
			r := bits{acc: uint64(code) << (64 - n), n: 64}
			if s, ok := r.symbol(&h); !ok || s != symbols[k] || r.n != 64-n {
				t.Errorf("code %0*b: symbol %d %v, %d bits used", n, code, s, ok, 64-r.n)
			}
			code++
			k++
		}
		code <<= 1
	}
	r := bits{acc: math.MaxUint64, n: 64}
	if _, ok := r.symbol(&h); ok {
		t.Error("sixteen ones are a symbol")
	}
	if h.build(&[17]int{1: 3}, symbols) {
		t.Error("three codes of one bit fit")
	}
}
