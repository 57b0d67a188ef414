package finetune

import (
	"context"
	"math"
	"reflect"
	"strings"
	"testing"
)

// Rows in half precision take half the room, are the same whether computed or read, and say what they lost.
func TestStoreInHalfPrecision(t *testing.T) {
	cache := &Cache{Dir: t.TempDir()}
	xs := sentences(300)
	exact, _ := extract(t, &fakeRuntime{cols: 64}, fakeBackbone("b", 64), xs, ExtractSettings{Cache: cache})
	s := ExtractSettings{Cache: cache, Store: Float16}
	cold, stats := extract(t, &fakeRuntime{cols: 64}, fakeBackbone("b", 64), xs, s)
	if stats.Cached != 0 {
		t.Error("rows of full precision were taken for half")
	}
	var square, difference float64
	for i, v := range exact.Data {
		d := float64(v - cold.Data[i])
		if math.Abs(d) > math.Abs(float64(v))/2048+1e-7 {
			t.Fatalf("%g became %g", v, cold.Data[i])
		}
		square += float64(v) * float64(v)
		difference += d * d
	}
	// sums go over distinct texts, so the two need not be the same
	if want := math.Sqrt(difference / square); stats.Loss == 0 || math.Abs(stats.Loss/want-1) > 0.2 || stats.Loss > 1./2048 {
		t.Errorf("loss %g, measured %g", stats.Loss, want)
	}
	warm, stats := extract(t, &fakeRuntime{cols: 64}, fakeBackbone("b", 64), xs, s)
	if stats.Computed != 0 || !reflect.DeepEqual(cold, warm) {
		t.Errorf("from the cache: %+v", stats)
	}
	if none, _ := extract(t, &fakeRuntime{cols: 64}, fakeBackbone("b", 64), xs, ExtractSettings{Store: Float16}); !reflect.DeepEqual(none, cold) {
		t.Error("without a cache: other rows")
	}
	list, err := cache.List()
	if err != nil || len(list) != 2 || list[0].Type == list[1].Type {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, e := range list {
		size := map[Precision]int{Float32: 4, Float16: 2}[e.Type]
		if e.Bytes != int64(headerSize+e.Rows*(entrySize+64*size)) {
			t.Errorf("%+v", e)
		}
	}
}

func TestStoreRefuses(t *testing.T) {
	if _, _, err := Extract(context.Background(), &fakeRuntime{cols: 4}, fakeBackbone("b", 4), sentences(3), ExtractSettings{Store: "int4"}); err == nil || !strings.Contains(err.Error(), "float16") {
		t.Errorf("got %v", err)
	}
	large := fakeBackbone("b", 4)
	rt := &fakeRuntime{cols: 4, scale: 1e6}
	if _, _, err := Extract(context.Background(), rt, large, sentences(3), ExtractSettings{Store: Float16}); err == nil || !strings.Contains(err.Error(), "too large for half") {
		t.Errorf("got %v", err)
	}
}
