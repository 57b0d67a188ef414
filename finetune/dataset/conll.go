package dataset

import (
	"fmt"
	"strings"
)

// readCoNLL reads sentences of tagged words: a word a line, its tag in the last column, an empty line after each
// sentence. Columns are separated by tabs, or by spaces where the first line has no tab; what is between the first and the
// last is passed over, as are lines "-DOCSTART-" and comments, "# " at the start of a sentence where columns are tabs.
func (t *table) readCoNLL(text string) error {
	t.tagged, t.label = true, "tag"
	var s sentence
	start, width, tabs := 0, 0, false
	end := func() {
		if len(s.words) > 0 {
			t.rows = append(t.rows, s.row(start))
		}
		s = sentence{}
	}
	for line := 1; text != ""; line++ {
		var this string
		this, text, _ = strings.Cut(text, "\n")
		this = strings.TrimSuffix(this, "\r")
		switch {
		case strings.TrimSpace(this) == "":
			end()
			continue
		case strings.HasPrefix(this, "-DOCSTART-"):
			continue
		case len(s.words) == 0 && strings.HasPrefix(this, "# ") && !strings.Contains(this, "\t") && (tabs || width == 0):
			continue
		}
		if width == 0 {
			tabs = strings.Contains(this, "\t")
		}
		columns := strings.Fields(this)
		if tabs {
			columns = strings.Split(this, "\t")
		}
		if width == 0 {
			width = len(columns)
		}
		if len(columns) != width || width < 2 {
			return &RowError{File: t.file, Line: line, Err: fmt.Errorf("%w: %d columns, want %d: a word first and its tag last", ErrRagged, len(columns), max(width, 2))}
		}
		if len(s.words) == 0 {
			start = line
		}
		if err := s.add(columns[0], strings.TrimSpace(columns[width-1]), t.settings.Lenient); err != nil {
			return &RowError{File: t.file, Line: line, Err: err}
		}
	}
	end()
	return nil
}

// A sentence is words and their tags being put together: the text is the words with a space between.
type sentence struct {
	text   strings.Builder
	words  []Word
	mended int // tags I-type that were read as B-type
}

// add appends a word. A tag must be O, B-type, or I-type after a tag of the same type; leniently, an I-type elsewhere is
// read as B-type.
func (s *sentence) add(word, tag string, lenient bool) error {
	if strings.TrimSpace(word) == "" {
		return fmt.Errorf("%w: the word is empty", ErrRagged)
	}
	mark, kind, _ := strings.Cut(tag, "-")
	if tag != "O" && (mark != "B" && mark != "I" || kind == "") {
		return fmt.Errorf("%w: %q, want O, B-type or I-type", ErrTag, shorten(tag))
	}
	if before := s.before(); mark == "I" && before != "B-"+kind && before != tag {
		if !lenient {
			return fmt.Errorf("%w: %q after %q, want B-%s where an entity begins (Lenient reads it so)", ErrTag, tag, before, kind)
		}
		tag = "B-" + kind
		s.mended++
	}
	if len(s.words) > 0 {
		s.text.WriteByte(' ')
	}
	at := s.text.Len()
	s.text.WriteString(word)
	s.words = append(s.words, Word{Start: at, End: at + len(word), Tag: tag})
	return nil
}

// before is the tag of the last word, O before the first.
func (s *sentence) before() string {
	if len(s.words) == 0 {
		return "O"
	}
	return s.words[len(s.words)-1].Tag
}

func (s *sentence) row(line int) row {
	tags := make([]string, len(s.words))
	for i, w := range s.words {
		tags[i] = w.Tag
	}
	return row{line: line, text: s.text.String(), label: strings.Join(tags, " "), words: s.words, mended: s.mended}
}
