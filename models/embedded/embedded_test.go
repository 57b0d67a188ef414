package embedded

import (
	"io/fs"
	"testing"
	"testing/fstest"
)

func TestFolders(t *testing.T) {
	cases := []struct {
		name string
		fsys fs.FS
		want []string
	}{
		{"text", Text(), []string{"model.onnx", "config.json", "tokenizer.json", "vocab.txt", "modules.json", "1_Pooling/config.json"}},
		{"image", Image(), []string{"model.onnx", "config.json", "preprocessor_config.json"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if err := fstest.TestFS(c.fsys, c.want...); err != nil {
				t.Fatal(err)
			}
			if _, err := fs.ReadFile(c.fsys, "../embedded.go"); err == nil {
				t.Error("a path outside the folder was read")
			}
		})
	}
}
