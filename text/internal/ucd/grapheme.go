package ucd

import "unicode/utf8"

// Grapheme classes (Unicode Standard Annex 29, table 2, with the classes its rules GB9c and GB11 need).
const (
	graphemeAny = iota
	graphemeCR
	graphemeLF
	graphemeControl
	graphemeExtend
	graphemeZWJ
	graphemeSpacingMark
	graphemePrepend
	graphemeL
	graphemeV
	graphemeT
	graphemeLV
	graphemeLVT
	graphemeRegional
	graphemePictographic
	graphemeConsonant
)

var graphemeNames = map[string]int{
	"CR": graphemeCR, "LF": graphemeLF, "Control": graphemeControl, "Extend": graphemeExtend, "ZWJ": graphemeZWJ,
	"SpacingMark": graphemeSpacingMark, "Prepend": graphemePrepend, "L": graphemeL, "V": graphemeV, "T": graphemeT,
	"LV": graphemeLV, "LVT": graphemeLVT, "Regional_Indicator": graphemeRegional,
	"Extended_Pictographic": graphemePictographic, "InCB_Consonant": graphemeConsonant,
}

// Grapheme returns the length in bytes of the first extended grapheme cluster of text, which is valid UTF-8.
func (t *Tables) Grapheme(text []byte) int {
	if len(text) == 0 {
		return 0
	}
	if text[0] < utf8.RuneSelf && text[0] != '\r' && (len(text) == 1 || text[1] < utf8.RuneSelf) {
		return 1
	}
	r, i := utf8.DecodeRune(text)
	before := t.Of(r)
	s := clusterState{}
	s.see(before)
	for i < len(text) {
		r, n := utf8.DecodeRune(text[i:])
		after := t.Of(r)
		if s.breaks(before, after) {
			break
		}
		s.see(after)
		before = after
		i += n
	}
	return i
}

// A clusterState is what rules GB9c, GB11, GB12 and GB13 must know of the cluster so far.
type clusterState struct {
	regional  int  // regional indicators at its end
	emoji     bool // ends in a pictograph and any number of Extend
	joined    bool // emoji, then ZWJ
	consonant bool // ends in a consonant, then linkers and Extend
	linked    bool // consonant, with at least one linker
}

func (s *clusterState) see(c Class) {
	g := c >> graphemeShift & graphemeMask
	s.joined = s.emoji && g == graphemeZWJ
	s.emoji = g == graphemePictographic || s.emoji && g == graphemeExtend
	if g == graphemeRegional {
		s.regional++
	} else {
		s.regional = 0
	}
	switch {
	case g == graphemeConsonant:
		s.consonant, s.linked = true, false
	case g == graphemeExtend || g == graphemeZWJ:
		s.linked = s.linked || s.consonant && c&linker != 0
	default:
		s.consonant, s.linked = false, false
	}
}

// breaks reports whether a cluster ends between two code points, by rules GB3 to GB999 in their order.
func (s *clusterState) breaks(before, after Class) bool {
	b, a := before>>graphemeShift&graphemeMask, after>>graphemeShift&graphemeMask
	switch {
	case b == graphemeCR && a == graphemeLF:
		return false
	case b == graphemeControl || b == graphemeCR || b == graphemeLF,
		a == graphemeControl || a == graphemeCR || a == graphemeLF:
		return true
	case b == graphemeL && (a == graphemeL || a == graphemeV || a == graphemeLV || a == graphemeLVT),
		(b == graphemeLV || b == graphemeV) && (a == graphemeV || a == graphemeT),
		(b == graphemeLVT || b == graphemeT) && a == graphemeT,
		a == graphemeExtend || a == graphemeZWJ || a == graphemeSpacingMark,
		b == graphemePrepend:
		return false
	case a == graphemeConsonant:
		return !s.linked
	case b == graphemeZWJ && a == graphemePictographic:
		return !s.joined
	case b == graphemeRegional && a == graphemeRegional:
		return s.regional%2 == 0
	}
	return true
}
