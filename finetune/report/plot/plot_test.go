package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		axis Axis
		want []string
	}{
		{Axis{Max: 1, Percent: true}, []string{"0 %", "20 %", "40 %", "60 %", "80 %", "100 %"}},
		{Axis{Min: 0.905, Max: 0.952, Percent: true}, []string{"91 %", "92 %", "93 %", "94 %", "95 %"}},
		{Axis{Min: -2.2, Max: 2.2}, []string{"−2", "−1", "0", "1", "2"}},
		{Axis{Min: 0.31, Max: 0.34}, []string{"0.31", "0.32", "0.33", "0.34"}},
		{Axis{Max: 11.5, Whole: true}, []string{"0", "3", "6", "9"}},
		{Axis{Max: 2, Whole: true}, []string{"0", "1", "2"}},
		{Axis{Max: 42_000}, []string{"0", "10,000", "20,000", "30,000", "40,000"}},
		{Axis{Min: 1e-6, Max: 1e6, Log: true, Ticks: 7}, []string{"1e−6", "0.0001", "0.01", "1", "100", "10,000", "1e6"}},
		{Axis{Min: 7, Max: 7}, []string{"6.6", "6.8", "7.0", "7.2", "7.4"}},
		{Axis{Min: math.NaN(), Max: math.Inf(1)}, []string{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"}},
	} {
		a := c.axis.sound()
		var got []string
		for _, v := range a.ticks() {
			got = append(got, a.format(v, a.ticks()))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v: %q, want %q", c.axis, got, c.want)
		}
	}
}

func TestShort(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.5: "0.5", 12.3456: "12.3", 1234.5: "1234", 123456: "123,456", 1e-6: "1e−6", -0.25: "−0.25", 2.5e9: "2.5e9"} {
		if got := Short(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

func TestFit(t *testing.T) {
	text := Type{Size: 10}
	for _, s := range []string{"short", "a label that is far too long to be written on one line of a small drawing", "", "一二三四五六七八九十一二三四五六七八九十", "a\nb\x00c\u202Ed"} {
		got := Fit(s, 100, text)
		if Width(got, text) > 100 || strings.ContainsAny(got, "\n\x00\u202E") || s == "short" && got != s {
			t.Errorf("%q becomes %q, %g wide", s, got, Width(got, text))
		}
	}
	if got := Fit("wide", 1, text); got != "…" {
		t.Errorf("%q", got)
	}
}

// drawn uses every kind of shape, with a text that must be escaped.
func drawn() *Canvas {
	c := &Canvas{Width: 200, Height: 100, Title: `<b>"&`, About: "\x01]]>"}
	c.Rect(10, 10, 40, 30, 4, Look{Fill: Good, Stroke: Text}, `<script>alert("x")</script>`)
	c.Line(Look{Stroke: Series(1), Width: 3, Dashed: true}, Point{0, 50}, Point{200, 50})
	c.Area(Look{Fill: Series(2), Opacity: 0.5}, Point{100, 60}, Point{120, 60}, Point{110, 90})
	c.Dots(10, Look{Fill: Bad}, "", Point{150, 70})
	c.Squares(5, Look{Fill: Heat(0.5)}, Point{0, 0}, Point{190, 90})
	c.Text(100, 20, "a < b & c", Type{Anchor: Middle, Bold: true})
	c.Text(190, 60, "up", Type{Upward: true, Anchor: End})
	return c
}

func TestSVG(t *testing.T) {
	for name, svg := range map[string]string{"file": string(drawn().SVG()), "inline": drawn().Inline("x")} {
		d := xml.NewDecoder(strings.NewReader(svg))
		elements := map[string]int{}
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, svg)
			}
			if e, ok := token.(xml.StartElement); ok {
				elements[e.Name.Local]++
			}
		}
		if elements["script"] > 0 || elements["b"] > 0 || elements["path"] != 4 || elements["text"] < 2 || elements["title"] != 2 {
			t.Errorf("%s has %v", name, elements)
		}
		if strings.Contains(strings.ReplaceAll(svg, "http://www.w3.org/2000/svg", ""), "http") {
			t.Errorf("%s names an address: %s", name, svg)
		}
	}
}

// TestPNG looks at single points of a picture, and counts those of a circle.
func TestPNG(t *testing.T) {
	data, err := drawn().PNG(2)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if img.Bounds() != image.Rect(0, 0, 400, 260) {
		t.Errorf("%v", img.Bounds())
	}
	at := func(x, y int) color.NRGBA {
		return color.NRGBAModel.Convert(img.At(2*x, 2*(y+titleHeight))).(color.NRGBA)
	}
	for _, c := range []struct {
		x, y int
		want Ink
	}{{30, 25, Good}, {150, 70, Bad}, {2, 2, Heat(0.5)}, {80, 90, Paper}, {2, 50, Series(1)}} {
		if got := at(c.x, c.y); got != c.want.rgba(1) {
			t.Errorf("at %d, %d there is %v, want %v", c.x, c.y, got, c.want.rgba(1))
		}
	}
	red := 0
	for y := range 260 {
		for x := range 400 {
			if color.NRGBAModel.Convert(img.At(x, y)) == Bad.rgba(1) {
				red++
			}
		}
	}
	if want := math.Pi * 20 * 20; math.Abs(float64(red)-want) > 0.1*want {
		t.Errorf("a circle of %d points, want about %.0f", red, want)
	}
	again, err := drawn().PNG(2)
	if err != nil || !bytes.Equal(data, again) {
		t.Errorf("the same drawing gives other bytes: %v", err)
	}
	if _, err := (&Canvas{Width: 1e9, Height: 1e9}).PNG(1); err == nil {
		t.Error("a picture of 10¹⁸ points is drawn")
	}
}

// Every ink has its colours, in style sheets and pictures.
func TestInks(t *testing.T) {
	style := Style("")
	for i, s := range shades {
		if i == int(None) {
			continue
		}
		if len(s.light) != 7 || len(s.dark) != 7 || !strings.Contains(style, ".f-"+s.name+"{") || !strings.Contains(Variables(true), "--"+s.name+":"+s.dark) {
			t.Errorf("ink %d: %+v", i, s)
		}
	}
	if Series(8) != Series(0) || Heat(0) != heat || Heat(1) != heat+heatInks-1 || Heat(-5) != heat || Heat(7) != heat+heatInks-1 {
		t.Error("series or heat leave their inks")
	}
}
