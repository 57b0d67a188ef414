package report

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/onnx-graft/graft/finetune/report/plot"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"percent": percent, "count": count, "picture": picture, "kind": kindClass, "marked": marked, "metric": Metric.write, "upper": upperFirst, "three": three,
}).Parse(pageHTML))

// A view is what the template sees.
type view struct {
	*Data
	Style     template.CSS
	Headline  *Metric
	More      []Metric
	Compared  *comparison
	Top       []drawn // figures of no section
	Sections  []section
	PerClass  []classLine
	Numbered  bool // classes are known by number in a figure
	ROC       bool // classes have ROC AUC
	Pictures  bool // mistakes have pictures
	Entities  bool
	ClassWord string // what lines of the per-class table are of
	CountWord string // and what they count
}

// A section is a heading of the page with its figures.
type section struct {
	ID, Title string
	Figures   []drawn
}

// A drawn figure is ready for the page.
type drawn struct {
	ID, Title, Note string
	Wide            bool
	SVG             template.HTML // written by package plot, which escapes all texts
}

// sectionTitles are the sections in the order of the page.
var sectionTitles = []section{
	{ID: sectionErrors, Title: "Where it is right and wrong"},
	{ID: sectionTrust, Title: "How far to trust it"},
	{ID: sectionChoices, Title: "How it was chosen"},
	{ID: sectionFeatures, Title: "What the head sees"},
	{ID: sectionTime, Title: "What was run"},
}

// page makes report.html.
func page(d *Data, figs []figure) ([]byte, error) {
	v := view{Data: d, Style: style(), PerClass: classLines(d), Numbered: len(d.Labels) > mostNames && len(d.Confusion) > 0}
	v.Entities = len(d.Sentences) > 0
	v.ClassWord, v.CountWord = "class", "rows"
	if v.Entities {
		v.ClassWord, v.CountWord = "kind", "entities"
	}
	for i := range d.Metrics {
		if i == 0 {
			v.Headline, v.More = &d.Metrics[0], d.Metrics[1:]
		}
	}
	for _, c := range d.PerClass {
		v.ROC = v.ROC || c.ROCAUC != nil
	}
	for _, m := range d.Mistakes {
		v.Pictures = v.Pictures || len(m.Picture) > 0
	}
	v.Compared = compare(d)
	v.Sections = slices.Clone(sectionTitles)
	for _, f := range figs {
		one := drawn{ID: f.ID, Title: f.Title, Note: f.Note, Wide: f.Wide, SVG: template.HTML(f.Inline("svg-" + f.ID))}
		at := slices.IndexFunc(v.Sections, func(s section) bool { return s.ID == f.Section })
		if at < 0 {
			v.Top = append(v.Top, one)
			continue
		}
		v.Sections[at].Figures = append(v.Sections[at].Figures, one)
	}
	v.Sections = slices.DeleteFunc(v.Sections, func(s section) bool { return !v.filled(s) })
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, v)
	return b.Bytes(), err
}

// filled tells whether a section has anything to show.
func (v *view) filled(s section) bool {
	return len(s.Figures) > 0 ||
		s.ID == sectionErrors && len(v.PerClass)+len(v.Mistakes)+len(v.Sentences) > 0 ||
		s.ID == sectionTime && len(v.Run) > 0
}

// style is the page's style sheet.
func style() template.CSS {
	return template.CSS(":root{" + plot.Variables(false) + "}@media(prefers-color-scheme:dark){:root{" + plot.Variables(true) + "}}" +
		plot.Style("svg ") + pageCSS)
}

// A comparison is the table of baselines.
type comparison struct {
	Metrics []Metric
	Lines   []comparedLine
}

type comparedLine struct {
	Name  string
	Cells []string // "" where it is not known
	Best  bool     // it is this model
}

// mostCompared is how many metrics the table of baselines has.
const mostCompared = 3

func compare(d *Data) *comparison {
	var t comparison
	for _, m := range d.Metrics {
		if len(t.Metrics) < mostCompared && slices.ContainsFunc(d.Baselines, func(b Baseline) bool { _, ok := b.Metrics[m.Key]; return ok }) {
			t.Metrics = append(t.Metrics, m)
		}
	}
	if len(t.Metrics) == 0 {
		return nil
	}
	this := comparedLine{Name: "this model", Best: true}
	for _, m := range t.Metrics {
		this.Cells = append(this.Cells, m.write(m.Value))
	}
	t.Lines = append(t.Lines, this)
	for _, b := range d.Baselines {
		line := comparedLine{Name: b.Name}
		for _, m := range t.Metrics {
			cell := ""
			if v, ok := b.Metrics[m.Key]; ok {
				cell = m.write(v)
			}
			line.Cells = append(line.Cells, cell)
		}
		t.Lines = append(t.Lines, line)
	}
	return &t
}

// A classLine is a line of the per-class table.
type classLine struct {
	Class
	Number int // from 1, in the order of labels
}

// fewClasses are listed in their own order; more by rising F1.
const fewClasses = 12

func classLines(d *Data) []classLine {
	out := make([]classLine, len(d.PerClass))
	for i, c := range d.PerClass {
		out[i] = classLine{c, i + 1}
	}
	if len(out) > fewClasses {
		slices.SortStableFunc(out, func(a, b classLine) int { return cmp.Compare(a.F1, b.F1) })
	}
	return out
}

// write writes a value of the metric.
func (m Metric) write(v float64) string {
	switch {
	case m.Percent:
		return percent(v)
	case v < 100 && v > -100:
		return strings.Replace(fmt.Sprintf("%.3f", v), "-", "−", 1)
	}
	return plot.Short(v)
}

// percent writes a share.
func percent(v float64) string {
	return strings.Replace(fmt.Sprintf("%.1f\u00a0%%", v*100), "-", "−", 1)
}

// three writes a number to three digits after the point.
func three(v *float64) string { return fmt.Sprintf("%.3f", *v) }

// count writes a whole number.
func count(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && len(s) > 4; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// upperFirst begins a sentence.
func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// picture is a JPEG's or PNG's bytes as an address; of other bytes it is empty.
func picture(data []byte) template.URL {
	kind := http.DetectContentType(data)
	if kind != "image/jpeg" && kind != "image/png" {
		return ""
	}
	return template.URL("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data))
}

// A piece is words of a sentence under one mark, or none.
type piece struct {
	Text, Kind string
	Class      string // of the style sheet
}

// marked cuts a sentence at its spans. Spans that do not fit the words are left out.
func marked(d *Data, words []string, spans []Span) []piece {
	spans = slices.Clone(spans)
	slices.SortStableFunc(spans, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
	var out []piece
	at := 0
	for _, s := range spans {
		if s.From < at || s.To <= s.From || s.To > len(words) {
			continue
		}
		if s.From > at {
			out = append(out, piece{Text: strings.Join(words[at:s.From], " ")})
		}
		out = append(out, piece{strings.Join(words[s.From:s.To], " "), s.Kind, kindClass(d, s.Kind)})
		at = s.To
	}
	if at < len(words) {
		out = append(out, piece{Text: strings.Join(words[at:], " ")})
	}
	return out
}

// kindClass is the colour of a kind.
func kindClass(d *Data, kind string) string {
	return fmt.Sprint("m", max(0, slices.Index(d.Labels, kind))%mostCurves)
}
