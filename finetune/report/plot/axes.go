package plot

import (
	"math"
	"strconv"
	"strings"
)

// An Axis is a direction of a [Frame].
type Axis struct {
	Label    string
	Min, Max float64
	Log      bool // decades; Min and Max are above 0
	Percent  bool // 0.5 is written 50 %
	Ticks    int  // about how many; 0: 5
	Whole    bool // whole numbers only
	Bare     bool // no ticks, no lines
}

// A Frame is the field of a chart and its two axes.
type Frame struct {
	*Canvas
	Left, Top, Right, Bottom float64 // the field
	x, y                     Axis
}

// room around the field.
const (
	roomRight  = 10
	roomBottom = 34
)

// NewFrame draws axes with lines behind the data, below the height top that is left free for a legend, and returns the
// field between them. A y label stands above its axis.
func NewFrame(c *Canvas, top float64, x, y Axis) *Frame {
	x, y = x.sound(), y.sound()
	f := &Frame{Canvas: c, x: x, y: y, Left: 10, Top: top + 8, Right: c.Width - roomRight, Bottom: c.Height - roomBottom}
	small := Type{Size: 10.5, Ink: Muted}
	if y.Label != "" {
		f.Top += 14
		c.Text(2, top+10, Fit(y.Label, c.Width-4, small), small)
	}
	yTicks, xTicks := y.ticks(), x.ticks()
	for _, v := range yTicks {
		f.Left = max(f.Left, 8+Width(y.format(v, yTicks), small))
	}
	if x.Bare {
		f.Bottom += 14
	}
	small.Anchor = End
	for _, v := range yTicks {
		at := f.At(x.Min, v)
		c.Line(Look{Stroke: Grid}, Point{f.Left, at.Y}, Point{f.Right, at.Y})
		c.Text(f.Left-6, at.Y+3.7, y.format(v, yTicks), small)
	}
	small.Anchor = Middle
	free := math.Inf(-1)
	for _, v := range xTicks {
		at, label := f.At(v, y.Min), x.format(v, xTicks)
		c.Line(Look{Stroke: Grid}, Point{at.X, f.Top}, Point{at.X, f.Bottom})
		half := Width(label, small) / 2
		if x := min(max(at.X, half+1), c.Width-half-1); x-half > free {
			c.Text(x, f.Bottom+14, label, small)
			free = x + half + 4
		}
	}
	foot := f.Bottom + 29
	if x.Bare {
		foot -= 14
	}
	c.Text((f.Left+f.Right)/2, foot, Fit(x.Label, c.Width-4, small), small)
	return f
}

// sound makes an axis one that can be drawn.
func (a Axis) sound() Axis {
	if a.Log && !(a.Min > 0) {
		a.Min = 1e-6
	}
	if math.IsInf(a.Min, 0) || math.IsInf(a.Max, 0) || !(a.Max > a.Min) {
		if a.Log {
			a.Min, a.Max = a.Min/2, a.Min*2
		} else if v := a.Min; v-v == 0 {
			a.Min, a.Max = v-0.5, v+0.5
		} else {
			a.Min, a.Max = 0, 1
		}
	}
	return a
}

// At returns where a pair of values lies.
func (f *Frame) At(x, y float64) Point {
	return Point{f.Left + f.x.share(x)*(f.Right-f.Left), f.Bottom - f.y.share(y)*(f.Bottom-f.Top)}
}

// Clamp returns where a pair of values lies, moved into the field.
func (f *Frame) Clamp(x, y float64) Point {
	return f.At(min(max(x, f.x.Min), f.x.Max), min(max(y, f.y.Min), f.y.Max))
}

func (a Axis) share(v float64) float64 {
	if a.Log {
		return math.Log(max(v, a.Min*1e-9)/a.Min) / math.Log(a.Max/a.Min)
	}
	return (v - a.Min) / (a.Max - a.Min)
}

// ticks are round values within the axis.
func (a Axis) ticks() []float64 {
	if a.Bare {
		return nil
	}
	want := a.Ticks
	if want == 0 {
		want = 5
	}
	if a.Log {
		return a.decades(want)
	}
	step := niceStep((a.Max - a.Min) / float64(want))
	if a.Whole {
		step = max(1, math.Ceil(step))
	}
	var out []float64
	for i := math.Ceil(a.Min/step - 1e-9); i*step <= a.Max+step*1e-9 && len(out) < 50; i++ {
		out = append(out, i*step)
	}
	return out
}

// niceStep is the next of 1, 2, 2.5, 5 times a power of ten.
func niceStep(rough float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, nice := range []float64{1, 2, 2.5, 5} {
		if rough <= nice*power*(1+1e-9) {
			return nice * power
		}
	}
	return 10 * power
}

func (a Axis) decades(want int) []float64 {
	low, high := math.Ceil(math.Log10(a.Min)-1e-9), math.Floor(math.Log10(a.Max)+1e-9)
	every := max(1, math.Ceil((high-low+1)/float64(want+1)))
	var out []float64
	for e := low; e <= high; e += every {
		out = append(out, math.Pow(10, e))
	}
	if len(out) < 2 {
		out = []float64{a.Min, a.Max}
	}
	return out
}

// format writes a value of an axis as its neighbours are written.
func (a Axis) format(v float64, ticks []float64) string {
	if a.Log {
		return Short(v)
	}
	step := a.Max - a.Min
	if len(ticks) > 1 {
		step = ticks[1] - ticks[0]
	}
	unit := ""
	if a.Percent {
		v, step, unit = v*100, step*100, " %"
	}
	if math.Abs(v) < step*1e-6 {
		v = 0
	}
	if !a.Percent && (step < 1e-4 || max(math.Abs(a.Min), math.Abs(a.Max)) >= 1e6) {
		return Short(v)
	}
	digits := max(0, int(-math.Floor(math.Log10(step)+1e-9)))
	if scaled := step * math.Pow(10, float64(digits)); math.Abs(scaled-math.Round(scaled)) > 1e-6 {
		digits++
	}
	return minus(group(strconv.FormatFloat(v, 'f', digits, 64))) + unit
}

// Short writes a number in three digits or fewer where that says enough: 0.001, 12.5, 10,000, 1e-6.
func Short(v float64) string {
	if a := math.Abs(v); a != 0 && (a < 1e-3*(1-1e-9) || a >= 1e6) {
		return minus(strings.NewReplacer("e-0", "e-", "e+0", "e", "e+", "e").Replace(strconv.FormatFloat(v, 'g', 3, 64)))
	}
	s := strconv.FormatFloat(v, 'g', 3, 64)
	if math.Abs(v) >= 100 {
		s = strconv.FormatFloat(v, 'f', 0, 64)
	}
	return minus(group(s))
}

func minus(s string) string { return strings.Replace(s, "-", "−", 1) }

// group puts commas between thousands of numbers of five digits and more.
func group(s string) string {
	whole, rest, _ := strings.Cut(s, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	if len(whole) >= 5 {
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + "," + whole[i:]
		}
	}
	if rest != "" {
		whole += "." + rest
	}
	return sign + whole
}

// An Entry is a line of a legend.
type Entry struct {
	Name string
	Look Look // Fill: a dot; Stroke: a line
}

// Legend writes what is what at the top of a canvas and returns the height it took. Names that do not fit a row begin the
// next one.
func Legend(c *Canvas, entries ...Entry) float64 {
	t := Type{Size: 10.5}
	x, y := 2.0, 11.0
	for _, e := range entries {
		name := Fit(e.Name, c.Width-30, t)
		w := 20 + Width(name, t) + 14
		if x > 2 && x+w-14 > c.Width {
			x, y = 2, y+16
		}
		if e.Look.Fill != None {
			c.Dots(4.5, e.Look, "", Point{x + 8, y - 4})
		}
		if e.Look.Stroke != None {
			c.Line(e.Look, Point{x, y - 4}, Point{x + 15, y - 4})
		}
		c.Text(x+20, y, name, t)
		x += w
	}
	if len(entries) == 0 {
		return 0
	}
	return y + 6
}
