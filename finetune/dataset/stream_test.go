package dataset

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// streamed reads everything.
func streamed(path string, s Settings) (rows []StreamRow, kind Kind, err error) {
	stream, err := OpenStream(context.Background(), path, s)
	if err != nil {
		return nil, "", err
	}
	for r, err := range stream.Rows {
		if err != nil {
			return rows, stream.Kind, err
		}
		rows = append(rows, r)
	}
	return rows, stream.Kind, nil
}

func place(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStreamReadsEveryFormatAlike(t *testing.T) {
	dir := t.TempDir()
	type record struct {
		Text  string `parquet:"text"`
		Label string `parquet:"label"`
	}
	if err := parquet.WriteFile(filepath.Join(dir, "p.parquet"), []record{{"one", "a"}, {"two,\"2\"", "b"}, {"three", "a"}}); err != nil {
		t.Fatal(err)
	}
	parquetData, err := os.ReadFile(filepath.Join(dir, "p.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"t.tsv":     "\xef\xbb\xbflabel\ttext\na\tone\r\n\nb\ttwo,\"2\"\na\tthree",
		"t.csv":     "id,text,label\n1,one,a\n2,\"two,\"\"2\"\"\",b\n3,three,a\n",
		"t.jsonl":   "{\"text\":\"one\",\"label\":\"a\"}\n{\"text\":\"two,\\\"2\\\"\",\"label\":\"b\"}\n{\"label\":\"a\",\"text\":\"three\"}\n",
		"t.parquet": string(parquetData),
	} {
		rows, kind, err := streamed(place(t, name, content), Settings{})
		if err != nil || kind != Texts || len(rows) != 3 {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
			continue
		}
		for i, want := range []string{"one a", "two,\"2\" b", "three a"} {
			if got := rows[i].Input + " " + rows[i].Label; got != want || rows[i].Part != All || !strings.HasPrefix(rows[i].ID, name+":") {
				t.Errorf("%s, row %d: %q %+v", name, i, got, rows[i])
			}
		}
	}
}

// Where Read reads something, the stream has the same rows, by the same names.
func TestStreamAgreesWithRead(t *testing.T) {
	dir := t.TempDir()
	for part, rows := range map[string]int{"train": 40, "dev": 10, "test": 20} {
		var b strings.Builder
		b.WriteString("label\ttext\n")
		for i := range rows {
			fmt.Fprintf(&b, "%d\tthe text %d of %s\n", i%2, i, part)
		}
		if err := os.WriteFile(filepath.Join(dir, part+".tsv"), []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "labels.txt"), []byte("no\nyes\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	want, err := ReadPart(context.Background(), dir, All, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := streamed(dir, Settings{})
	if err != nil || len(got) != len(want.Test) {
		t.Fatalf("%d rows, %v", len(got), err)
	}
	for i, w := range want.Test {
		w.Digest = [32]byte{}
		if !reflect.DeepEqual(got[i].Example, w) {
			t.Fatalf("row %d: %+v, want %+v", i, got[i].Example, w)
		}
	}
	if got[0].Part != Train || got[40].Part != Validation || got[69].Part != Test {
		t.Error("other parts")
	}
}

func TestStreamWithoutLabels(t *testing.T) {
	for name, content := range map[string]string{
		"t.txt": "one\ntwo\n", "t.tsv": "text\tyear\none\t1\ntwo\t2\n", "t.csv": "whatever\none\ntwo\n", "t.jsonl": "{\"text\":\"one\"}\n{\"text\":\"two\"}\n",
	} {
		rows, _, err := streamed(place(t, name, content), Settings{})
		if err != nil || len(rows) != 2 || rows[1].Input != "two" || rows[1].Label != "" {
			t.Errorf("%s: %+v, %v", name, rows, err)
		}
	}
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "b.png"), nil, 0o666)
	os.WriteFile(filepath.Join(dir, "a.jpg"), nil, 0o666)
	rows, kind, err := streamed(dir, Settings{})
	if err != nil || kind != Images || len(rows) != 2 || rows[0].ID != "a.jpg" || rows[0].Label != "" {
		t.Errorf("a flat folder: %+v, %v", rows, err)
	}
	os.Mkdir(filepath.Join(dir, "cats"), 0o777)
	os.WriteFile(filepath.Join(dir, "cats", "c.png"), nil, 0o666)
	rows, _, err = streamed(dir, Settings{})
	if err != nil || len(rows) != 1 || rows[0].Label != "cats" {
		t.Errorf("class folders: %+v, %v", rows, err)
	}
}

func TestStreamRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		file, content string
		s             Settings
		want          error
		words         string
	}{
		"no rows":           {"t.tsv", "label\ttext\n", Settings{}, ErrEmpty, "t.tsv"},
		"nothing":           {"t.txt", "", Settings{}, ErrEmpty, "t.txt"},
		"an empty text":     {"t.tsv", "label\ttext\na\tb\na\t  \n", Settings{}, ErrEmptyText, "3"},
		"Latin-1":           {"t.csv", "label,text\na,caf\xe9\n", Settings{}, ErrNotUTF8, "2"},
		"UTF-16":            {"t.csv", "\xff\xfel\x00", Settings{}, ErrNotUTF8, "UTF-16"},
		"ragged":            {"t.tsv", "label\ttext\na\tb\nc\n", Settings{}, ErrRagged, "3"},
		"ragged CSV":        {"t.csv", "label,text\na,b\nc\n", Settings{}, ErrRagged, "3"},
		"ragged JSON":       {"t.jsonl", "{\"text\":\"x\"}\n{\"txt\":\"x\"}\n", Settings{}, ErrRagged, "text"},
		"no text column":    {"t.csv", "a,b,c\n1,2,3\n", Settings{}, nil, "a"},
		"no label as asked": {"t.csv", "text,b\n1,2\n", Settings{Label: "c"}, nil, "c"},
		"no JSON":           {"t.jsonl", "[1]\n", Settings{}, nil, "JSON"},
		"no Parquet":        {"t.parquet", "PAR1 not", Settings{}, nil, "Parquet"},
		"an unknown ending": {"t.doc", "x", Settings{}, nil, ".csv"},
	} {
		_, _, err := streamed(place(t, c.file, c.content), c.s)
		if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v", name, err)
		}
		var row *RowError
		var column *ColumnError
		if !errors.As(err, &row) && !errors.As(err, &column) {
			t.Errorf("%s: no typed error: %v", name, err)
		}
	}
	if _, _, err := streamed(t.TempDir(), Settings{}); !errors.Is(err, ErrEmpty) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, _, err := streamed(filepath.Join(t.TempDir(), "none"), Settings{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}
