package plot

import (
	"fmt"
	"image/color"
	"math"
	"strings"
)

// An Ink is a colour by what it is for; each has a shade for light and one for dark surroundings.
type Ink uint8

// The inks. After Bad come eight of data series and then those of heat maps.
const (
	None   Ink = iota
	Text       // what is read
	Muted      // labels of axes
	Grid       // lines behind the data
	Paper      // the surroundings
	Good       // right answers
	Bad        // wrong answers
	series     // the first of data series
	heat   = series + seriesInks
)

const (
	seriesInks = 8
	heatInks   = 9
)

// Series returns the ink of the i-th data series; after eight they begin again.
func Series(i int) Ink { return series + Ink(i%seriesInks) }

// Heat returns the ink of a share of a heat map's largest value, 0 to 1; of 0 it is barely seen.
func Heat(share float64) Ink {
	return heat + Ink(min(heatInks-1, max(0, math.Ceil(share*heatInks)-1)))
}

// HeatText returns the ink that can be read upon [Heat] of the same share.
func HeatText(share float64) Ink {
	if share > 0.5 {
		return Paper
	}
	return Text
}

// A shade is an ink's name and its colours. The series are Paul Tol's "bright" scheme, which the colour-blind tell apart,
// with lighter ones for dark surroundings; heat runs from near the paper to a strong blue.
type shade struct{ name, light, dark string }

var shades = [...]shade{
	None:       {"none", "", ""},
	Text:       {"text", "#1d2129", "#e6e8ec"},
	Muted:      {"muted", "#667080", "#98a1b0"},
	Grid:       {"grid", "#e4e7ec", "#2c323c"},
	Paper:      {"paper", "#ffffff", "#171a20"},
	Good:       {"good", "#228833", "#55b866"},
	Bad:        {"bad", "#cc3355", "#ff7a90"},
	series + 0: {"s0", "#3a6ea5", "#74a9e6"},
	series + 1: {"s1", "#e8743b", "#f59a6b"},
	series + 2: {"s2", "#228833", "#55b866"},
	series + 3: {"s3", "#aa3377", "#d876ab"},
	series + 4: {"s4", "#33a9c9", "#6fd3ee"},
	series + 5: {"s5", "#b39b1c", "#dcc85a"},
	series + 6: {"s6", "#7459b5", "#ab95e8"},
	series + 7: {"s7", "#808895", "#a7afbb"},
	heat + 0:   {"h0", "#e9f0f8", "#1e2733"},
	heat + 1:   {"h1", "#d3e1f1", "#243345"},
	heat + 2:   {"h2", "#bad0e8", "#2a4059"},
	heat + 3:   {"h3", "#9dbcdd", "#31506f"},
	heat + 4:   {"h4", "#7fa6d0", "#396187"},
	heat + 5:   {"h5", "#608fc2", "#4576a3"},
	heat + 6:   {"h6", "#4379b2", "#548ec1"},
	heat + 7:   {"h7", "#2b629c", "#6ca6db"},
	heat + 8:   {"h8", "#174a80", "#8fc1f0"},
}

// Style returns the style sheet that gives the inks their colours in SVG, dark where the reader's system is. scope comes
// before each selector: "" for a file of its own.
func Style(scope string) string {
	var light, dark strings.Builder
	for _, s := range shades[1:] {
		for _, use := range []struct{ class, property string }{{"f-", "fill"}, {"k-", "stroke"}} {
			fmt.Fprintf(&light, "%s.%s%s{%s:%s}", scope, use.class, s.name, use.property, s.light)
			fmt.Fprintf(&dark, "%s.%s%s{%s:%s}", scope, use.class, s.name, use.property, s.dark)
		}
	}
	return light.String() + "@media(prefers-color-scheme:dark){" + dark.String() + "}"
}

// rgba returns an ink's colour in light surroundings.
func (i Ink) rgba(opacity float64) color.NRGBA {
	c := color.NRGBA{A: uint8(math.Round(255 * opacity))}
	fmt.Sscanf(shades[i].light, "#%02x%02x%02x", &c.R, &c.G, &c.B)
	return c
}

// Variables returns declarations of the inks' colours as CSS variables, --text, --s0, …, light or dark.
func Variables(dark bool) string {
	var b strings.Builder
	for _, s := range shades[1:] {
		colour := s.light
		if dark {
			colour = s.dark
		}
		fmt.Fprintf(&b, "--%s:%s;", s.name, colour)
	}
	return b.String()
}
