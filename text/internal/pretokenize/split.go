package pretokenize

import "github.com/onnx-graft/graft/text/internal/normalize"

// Split cuts words by the matches of a pattern.
type Split struct {
	Pattern  normalize.Matcher
	Behavior Behavior
	Invert   bool // by what lies between the matches
}

// PreTokenize implements PreTokenizer.
func (s Split) PreTokenize(p *Pieces) {
	p.each(func(w Word) {
		text := p.Text.Bytes[w.Start:w.End]
		p.parts = p.parts[:0]
		last := 0
		for start, end := s.Pattern.Find(text, 0); start >= 0; start, end = s.Pattern.Find(text, normalize.Next(text, start, end)) {
			s.part(p, w, last, start, false)
			s.part(p, w, start, end, true)
			last = end
		}
		s.part(p, w, last, len(text), false)
		p.fold(s.Behavior)
	})
}

func (s Split) part(p *Pieces, w Word, start, end int, match bool) {
	if end > start {
		p.parts = append(p.parts, part{w.Start + int32(start), w.Start + int32(end), match != s.Invert})
	}
}
