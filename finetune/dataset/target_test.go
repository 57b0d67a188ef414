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

	"github.com/onnx-graft/graft/onnx/onnxtest"
)

// numbered makes rows "label,text" whose labels are f(0), f(1), ….
func numbered(n int, f func(i int) string) string {
	var b strings.Builder
	b.WriteString("label,text\n")
	for i := range n {
		fmt.Fprintf(&b, "%s,text %d\n", f(i), i)
	}
	return b.String()
}

func TestTargetsByTheirLooks(t *testing.T) {
	fractions := numbered(60, func(i int) string { return fmt.Sprint(float64(i) / 4) })
	for name, c := range map[string]struct {
		file, content string
		s             Settings
		want          Target
		pairs         bool
		labels        []string
	}{
		"many fractions":       {"d.csv", fractions, Settings{}, Values, false, []string{"label"}},
		"a few fractions":      {"d.csv", numbered(60, func(i int) string { return fmt.Sprint(float64(i%4) / 2) }), Settings{}, Classes, false, []string{"0", "0.5", "1", "1.5"}},
		"class numbers":        {"d.csv", numbered(240, func(i int) string { return fmt.Sprint(i % 77) }), Settings{}, Classes, false, nil},
		"whole numbers":        {"d.csv", numbered(240, func(i int) string { return fmt.Sprint(3 * (i % 77)) }), Settings{}, Values, false, []string{"label"}},
		"numbers as classes":   {"d.csv", numbered(240, func(i int) string { return fmt.Sprint(3 * (i % 77)) }), Settings{Target: new(Classes)}, Classes, false, nil},
		"classes as numbers":   {"d.csv", numbered(40, func(i int) string { return fmt.Sprint(i % 5) }), Settings{Target: new(Values)}, Values, false, []string{"label"}},
		"names":                {"d.csv", numbered(40, func(i int) string { return "ab"[i%2:][:1] }), Settings{}, Classes, false, []string{"a", "b"}},
		"names as label sets":  {"d.csv", numbered(40, func(i int) string { return "ab"[i%2:][:1] }), Settings{Target: new(Labels)}, Labels, false, []string{"a", "b"}},
		"separated labels":     {"d.csv", numbered(40, func(i int) string { return []string{"b; a", "a", "", "a;c;a"}[i%4] }), Settings{Separator: ";"}, Labels, false, []string{"a", "b", "c"}},
		"a pair and a number":  {"d.tsv", "score\tsentence1\tsentence2\n" + strings.ReplaceAll(strings.ReplaceAll(strings.TrimPrefix(fractions, "label,text\n"), ",", "\t"), "\n", "\tb\n"), Settings{}, Values, true, []string{"score"}},
		"a pair and a class":   {"d.tsv", "premise\thypothesis\tlabel\na\tb\tyes\nc\td\tno\ne\tf\tyes\ng\th\tno\ni\tj\tyes\nk\tl\tno\n", Settings{}, Classes, true, []string{"no", "yes"}},
		"pairs by name":        {"d.tsv", "u\tv\ty\na\tb\tyes\nc\td\tno\ne\tf\tyes\ng\th\tno\ni\tj\tyes\nk\tl\tno\n", Settings{Text: "u", Second: "v"}, Classes, true, []string{"no", "yes"}},
		"one text of a pair":   {"d.tsv", "premise\thypothesis\tlabel\na\tb\tyes\nc\td\tno\ne\tf\tyes\ng\th\tno\ni\tj\tyes\nk\tl\tno\n", Settings{Text: "premise"}, Classes, false, []string{"no", "yes"}},
		"CoNLL":                {"d.conll", strings.Repeat("Ann\tB-per\nLee\tI-per\nran\tO\n\nto\tO\nRome\tB-loc\n\n", 3), Settings{}, Tags, false, []string{"O", "B-loc", "B-per", "I-per"}},
		"CoNLL, four columns":  {"d.bio", strings.Repeat("-DOCSTART- -X- O O\n\nAnn NNP B-NP B-per\nran VBD B-VP O\n\nto TO B-PP O\nRome NNP B-NP B-loc\n\n", 3), Settings{}, Tags, false, []string{"O", "B-loc", "B-per"}},
		"lists of words":       {"d.jsonl", strings.Repeat(`{"tokens":["Ann","ran"],"ner_tags":["B-per","O"]}`+"\n"+`{"tokens":["Go"],"ner_tags":["O"]}`+"\n", 3), Settings{}, Tags, false, []string{"O", "B-per"}},
		"lists of labels":      {"d.jsonl", strings.Repeat(`{"text":"x","labels":["b","a"]}`+"\n"+`{"text":"y","labels":[]}`+"\n", 6), Settings{}, Labels, false, []string{"a", "b"}},
		"a leniently read tag": {"d.conll", strings.Repeat("Ann\tI-per\nran\tO\n\n", 6), Settings{Lenient: true}, Tags, false, []string{"O", "B-per"}},
	} {
		path := filepath.Join(lay(t, map[string]string{c.file: c.content}), c.file)
		c.s.KeepDuplicates = true
		split, err := Read(context.Background(), path, c.s)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if split.Target != c.want || split.Pairs != c.pairs || c.labels != nil && !reflect.DeepEqual(split.Labels, c.labels) {
			t.Errorf("%s: %q, pairs %v, labels %q", name, split.Target, split.Pairs, split.Labels)
		}
		if len(split.Test) == 0 || len(split.Train) < len(split.Test) {
			t.Errorf("%s: %d rows of train, %d of test", name, len(split.Train), len(split.Test))
		}
	}
}

func TestRowsOfEachTarget(t *testing.T) {
	first := func(file, content string, s Settings) Example[string] {
		split, err := ReadPart(context.Background(), filepath.Join(lay(t, map[string]string{file: content}), file), "", s)
		if err != nil {
			t.Fatal(err)
		}
		return split.Test[0]
	}
	if e := first("d.csv", "label,text\n 2.50,x\n1,y\n", Settings{Target: new(Values)}); e.Value != 2.5 || e.Label != "2.50" {
		t.Errorf("%+v", e)
	}
	if e := first("d.csv", "label,text\nb;a; b,x\n", Settings{Separator: ";"}); !reflect.DeepEqual(e.Labels, []string{"a", "b"}) || e.Label != "a, b" {
		t.Errorf("%+v", e)
	}
	if split := read(t, lay(t, map[string]string{"train.conll": strings.Repeat("Ann\tI-per\nran\tO\n\n", 6)}), Settings{Lenient: true, KeepDuplicates: true}); !strings.Contains(strings.Join(split.Report.Notes, "\n"), "6 tags I-type") {
		t.Errorf("notes %q", split.Report.Notes)
	}
	e := first("d.conll", "\nÄnn\tB-per\nran\tO\n", Settings{})
	if e.Input != "Änn ran" || e.ID != "d.conll:2" || e.Label != "B-per O" ||
		!reflect.DeepEqual(e.Words, []Word{{0, 4, "B-per"}, {5, 8, "O"}}) {
		t.Errorf("%+v", e)
	}
	a := first("d.tsv", "score\tsentence1\tsentence2\n1.5\tu\tv\n", Settings{})
	b := first("d.tsv", "score\tsentence1\tsentence2\n1.5\tv\tu\n", Settings{})
	if a.Input != "u" || a.Second != "v" || a.Digest == b.Digest {
		t.Errorf("%+v", a)
	}
	type record struct {
		Sentence1 string  `parquet:"sentence1"`
		Sentence2 string  `parquet:"sentence2"`
		Score     float32 `parquet:"score"`
	}
	path := filepath.Join(t.TempDir(), "p.parquet")
	if err := parquet.WriteFile(path, []record{{"u", "v", 0.1}}); err != nil {
		t.Fatal(err)
	}
	split, err := ReadPart(context.Background(), path, "", Settings{Target: new(Values)})
	if err != nil || split.Test[0].Value != 0.1 || split.Test[0].Second != "v" || !split.Pairs {
		t.Errorf("%v %+v", err, split.Test)
	}
}

func TestPicturesNamedByATable(t *testing.T) {
	for _, dir := range []string{
		lay(t, map[string]string{"metadata.csv": "file_name,age\na.png,3.5\nsub/b.png,4\n", "a.png": "A", "sub/b.png": "B"}),
		lay(t, map[string]string{"train/metadata.csv": "file_name,age\na.png,3.5\n", "train/a.png": "A", "test/metadata.csv": "file_name,age\nb.png,4\n", "test/b.png": "B"}),
	} {
		split, err := ReadPart(context.Background(), dir, All, Settings{Target: new(Values)})
		if err != nil || split.Kind != Images || len(split.Test) != 2 || split.Test[0].Value != 3.5 {
			t.Fatalf("%v %+v", err, split)
		}
		if _, err := os.Stat(split.Test[1].Input); err != nil || !strings.HasSuffix(split.Test[1].ID, "/b.png") {
			t.Errorf("%v, %q", err, split.Test[1].ID)
		}
	}
	dir := lay(t, map[string]string{"metadata.csv": "file_name,age\na.png,3.5\n"})
	if _, err := Read(context.Background(), dir, Settings{}); err == nil || !strings.Contains(err.Error(), "a.png") {
		t.Errorf("a picture that is not there: %v", err)
	}
}

func TestBadLabels(t *testing.T) {
	for name, c := range map[string]struct {
		file, content string
		s             Settings
		is            error
		says          []string
	}{
		"NaN":                  {"d.csv", "label,text\n1.5,x\nNaN,y\n", Settings{Target: new(Values)}, ErrNumber, []string{"d.csv:3", "NaN", "finite"}},
		"too large":            {"d.csv", "label,text\n1.5,x\n1e300,y\n", Settings{Target: new(Values)}, ErrNumber, []string{"d.csv:3", "finite"}},
		"a name for a number":  {"d.csv", "label,text\n1.5,x\ngood,y\n", Settings{Target: new(Values)}, ErrNumber, []string{"d.csv:3", `"good"`, "classification"}},
		"one number":           {"d.csv", "label,text\n2,x\n2,y\n2,z\n", Settings{Target: new(Values)}, ErrOneClass, []string{`"2"`}},
		"no second text":       {"d.csv", "label,sentence1,sentence2\n1,x,y\n2,z, \n", Settings{}, ErrEmptyText, []string{"d.csv:3"}},
		"no such second":       {"d.csv", "label,text\n1,x\n", Settings{Second: "other"}, nil, []string{`"other"`, "second text"}},
		"a tag from nowhere":   {"d.conll", "Ann\tB-per\nLee\tO\nran\tI-per\n", Settings{}, ErrTag, []string{"d.conll:3", `"I-per" after "O"`, "B-per"}},
		"another type":         {"d.conll", "Ann\tB-per\nLee\tI-loc\n", Settings{}, ErrTag, []string{"d.conll:2", `"I-loc" after "B-per"`}},
		"no BIO":               {"d.conll", "Ann\tPER\n", Settings{}, ErrTag, []string{"d.conll:1", `"PER"`, "B-type"}},
		"a column too many":    {"d.conll", "Ann\tB-per\nLee\tx\tO\n", Settings{}, ErrRagged, []string{"d.conll:2", "3 columns, want 2"}},
		"a column too few":     {"d.conll", "Ann\n", Settings{}, ErrRagged, []string{"d.conll:1", "1 columns"}},
		"lists of two lengths": {"d.jsonl", `{"tokens":["Ann","ran"],"ner_tags":["O"]}`, Settings{}, ErrRagged, []string{"d.jsonl:1", "2 words and 1 tags"}},
		"a list in a list":     {"d.jsonl", `{"text":"x","labels":["a",["b"]]}`, Settings{}, nil, []string{"d.jsonl:1", "element 2"}},
		"lists as classes":     {"d.jsonl", `{"text":"x","labels":["a"]}`, Settings{Target: new(Classes)}, ErrTask, []string{"lists of labels", "multi-label"}},
		"classes as tags":      {"d.csv", "label,text\na,x\n", Settings{Target: new(Tags)}, ErrTask, []string{"a label a row", "CoNLL"}},
		"tags as classes":      {"d.conll", "Ann\tB-per\n", Settings{Target: new(Classes)}, ErrTask, []string{"tagged words", "token-classification"}},
		"no label at all":      {"d.jsonl", strings.Repeat(`{"text":"x","labels":[]}`+"\n", 9), Settings{KeepDuplicates: true}, ErrOneClass, []string{"no row has a label"}},
		"only O":               {"d.conll", strings.Repeat("Ann\tO\n\n", 9), Settings{KeepDuplicates: true}, ErrOneClass, []string{"every tag is O"}},
	} {
		path := filepath.Join(lay(t, map[string]string{c.file: c.content}), c.file)
		_, err := Read(context.Background(), path, c.s)
		if err == nil || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		for _, s := range c.says {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%s: %v does not say %s", name, err, s)
			}
		}
	}
	dir := lay(t, map[string]string{"train.conll": strings.Repeat("Ann\tB-per\nran\tO\n\n", 4), "test.conll": "Ann\tB-per\nx\tB-loc\n"})
	if _, err := Read(context.Background(), dir, Settings{KeepDuplicates: true}); !errors.Is(err, ErrUnknownLabel) || !strings.Contains(err.Error(), "test.conll:1") {
		t.Errorf("a type train has not: %v", err)
	}
}

// The counts are those stated with the data.
func TestRealTargets(t *testing.T) {
	for name, c := range map[string]struct {
		train, validation, test, labels int
		target                          Target
		pairs                           bool
	}{
		"stsb_en": {5749, 1500, 1379, 1, Values, true},
		"wnut17":  {3394, 1009, 1287, 13, Tags, false},
	} {
		split, err := Read(context.Background(), onnxtest.Shared(t, "assets", "text-data", name), Settings{KeepDuplicates: true})
		if err != nil {
			t.Error(err)
			continue
		}
		if len(split.Train) != c.train || len(split.Validation) != c.validation || len(split.Test) != c.test || len(split.Labels) != c.labels ||
			split.Target != c.target || split.Pairs != c.pairs {
			t.Errorf("%s: %d/%d/%d rows, %q, pairs %v, labels %q", name, len(split.Train), len(split.Validation), len(split.Test), split.Target, split.Pairs, split.Labels)
		}
	}
}
