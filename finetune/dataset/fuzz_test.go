package dataset

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// Whatever a file holds, reading it ends in rows that are whole or in an error, never in a panic.
func FuzzRead(f *testing.F) {
	names := []string{"d.csv", "d.tsv", "d.jsonl", "d.conll"}
	for kind, content := range map[uint8]string{
		0: "label,sentence1,sentence2\n1.5,\"a\",b\n2,c,d\n", 1: "label\ttext\na\tx\nb\ty\n",
		2: `{"tokens":["Ann","ran"],"ner_tags":["B-per","O"]}` + "\n" + `{"tokens":["x"],"ner_tags":["O"]}`,
		3: "-DOCSTART- O\n\nAnn\tB-per\nLee\tI-per\n\n# a comment\nran\tO\r\n",
	} {
		f.Add(kind, []byte(content), false)
		f.Add(kind, []byte(content), true)
	}
	f.Add(uint8(2), []byte(`{"text":"x","labels":["a",1,true]}`+"\n"+`{"text":"y","labels":[]}`), false)
	f.Fuzz(func(t *testing.T, kind uint8, content []byte, lenient bool) {
		path := filepath.Join(t.TempDir(), names[int(kind)%len(names)])
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
		s := Settings{Lenient: lenient, KeepDuplicates: lenient}
		split, err := ReadPart(context.Background(), path, "", s)
		if err != nil {
			return
		}
		for _, e := range split.Test {
			at := 0
			for _, w := range e.Words {
				if w.Start < at || w.End <= w.Start || w.End > len(e.Input) {
					t.Fatalf("word %+v of %q", w, e.Input)
				}
				at = w.End
			}
			if split.Target == Values && e.Value-e.Value != 0 || split.Pairs && e.Second == "" || e.Input == "" {
				t.Fatalf("%+v", e)
			}
		}
		Read(context.Background(), path, s)
	})
}
