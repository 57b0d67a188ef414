package plot

import (
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
)

// measure is the size letters are measured at.
const measure = 100

// widest is how much wider than the Go fonts the widest of the usual system fonts (DejaVu Sans) runs.
const widest = 1.16

// fontFile is the font of PNGs, Go Regular or Go Bold. Its widths are near those of the system fonts that SVG is shown in.
var fontFile = [2]func() (*opentype.Font, error){
	sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(goregular.TTF) }),
	sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(gobold.TTF) }),
}

// advances are the widths of Latin letters in the regular font, in hundredths of the size.
var advances = sync.OnceValue(func() (table [128]float64) {
	for i := range table {
		table[i] = 0.56 * measure
	}
	face, err := newFace(false, measure)
	if err != nil {
		return table
	}
	for r := rune(' '); r < 127; r++ {
		if a, ok := face.GlyphAdvance(r); ok {
			table[r] = float64(a) / 64
		}
	}
	for _, r := range "<>=+~#&%@^_" { // wide in some fonts
		table[r] = max(table[r], 0.76*measure)
	}
	return table
})

// newFace opens the font at a size in pixels.
func newFace(bold bool, size float64) (font.Face, error) {
	which := 0
	if bold {
		which = 1
	}
	f, err := fontFile[which]()
	if err != nil {
		return nil, err
	}
	return opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
}

// Width returns about how wide a line is in the widest font it may be shown in.
func Width(s string, t Type) float64 {
	sum, table := 0.0, advances()
	for _, r := range s {
		switch {
		case r < 128:
			sum += table[r]
		case unicode.Is(unicode.Mn, r):
		case r >= 0x1100: // CJK, emoji: about as wide as high
			sum += measure
		default:
			sum += 0.58 * measure
		}
	}
	if t.Bold {
		sum *= 1.06
	}
	sum *= widest
	return sum * t.size() / measure
}

// Clean returns s as one line that can be drawn: white space is single spaces; what turns the direction of writing or has
// no shape is gone.
func Clean(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != '\u200D' {
			return -1
		}
		return r
	}, s)
}

// Fit returns s on one line, shortened in its middle until it is at most so wide.
func Fit(s string, width float64, t Type) string {
	s = Clean(s)
	if Width(s, t) <= width {
		return s
	}
	runes := []rune(s)
	for n := min(len(runes)-1, int(4*width/t.size())+1); n > 1; n-- {
		short := string(runes[:(n+1)/2]) + "…" + string(runes[len(runes)-n/2:])
		if Width(short, t) <= width {
			return short
		}
	}
	return "…"
}
