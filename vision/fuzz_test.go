package vision

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// FuzzDecode: whatever the bytes, a picture or an error, soon and in bounded memory; the same whether all of the picture is
// decoded or a part. The seeds are testdata/formats.
func FuzzDecode(f *testing.F) {
	names, err := filepath.Glob(filepath.Join("testdata", "formats", "*"))
	if err != nil || len(names) == 0 {
		f.Fatal(err, len(names))
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	limits := Limits{Pixels: 1 << 18}
	whole := newPreprocessor(Transform{}, &Settings{Limits: limits})
	part := newPreprocessor(Defaults(8, 8), &Settings{Limits: limits})
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, err := whole.View(Picture{Data: b})
		_, partErr := part.View(Picture{Data: b})
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if err == nil && partErr != nil {
			t.Errorf("the whole is decoded, a part is not: %v", partErr)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20+2000*uint64(len(b)) {
			t.Errorf("%d bytes for a file of %d", used, len(b))
		}
		if took > 5*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// FuzzConfig: whatever preprocessor_config.json says, an error or a Transform that can be used, written, and read again.
func FuzzConfig(f *testing.F) {
	names, err := filepath.Glob(filepath.Join("testdata", "*ed", "*.json"))
	more, err2 := filepath.Glob(filepath.Join("testdata", "processors", "*.json"))
	names = append(names, more...)
	if err != nil || err2 != nil || len(names) == 0 {
		f.Fatal(err, err2, len(names))
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"size": {"max_height": 7, "max_width": 7}, "crop_rounding": "half_even", "do_exif_transpose": false}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		tr, err := parseConfig(b)
		if err != nil {
			return
		}
		tr.plan(3000, 7)
		p := newPreprocessor(tr, &Settings{})
		files, err := p.Files()
		if err != nil {
			return // some transforms are no Hugging Face processor's
		}
		again, err := parseConfig(files[preprocessorFile])
		if err != nil {
			t.Fatalf("%s\nis written as\n%s\nwhich is refused: %v", b, files[preprocessorFile], err)
		}
		if again.String() != tr.String() {
			t.Fatalf("%s\nis\n%v\nand comes back as\n%v", b, &tr, &again)
		}
	})
}
