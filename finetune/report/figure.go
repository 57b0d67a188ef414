package report

import (
	"github.com/onnx-graft/graft/finetune/report/plot"
)

// Sizes of drawings. They are small, as they are read on phones, and scale with the page.
const (
	figureWidth  = 420
	figureHeight = 300
)

// A figure is one drawing of a report.
type figure struct {
	ID      string // file name and anchor
	Section string // of the page
	Note    string // under the drawing
	Wide    bool   // as wide as the page
	*plot.Canvas
}

// drawing begins a figure's canvas.
func drawing(title, about string) *plot.Canvas {
	return &plot.Canvas{Width: figureWidth, Height: figureHeight, Title: title, About: about}
}

// Sections of the page, in the ids of its headings.
const (
	sectionErrors   = "errors"
	sectionTrust    = "trust"
	sectionChoices  = "choices"
	sectionFeatures = "features"
	sectionTime     = "time"
)

// makers are the figures of a report in the order of the page. A maker returns nothing where the data has nothing to draw.
var makers = []func(*Data) []figure{
	baselineFigure, confusionFigure, pairsFigure, entityFigure, scatterFigures,
	precisionFigure, reliabilityFigure,
	pathFigure, headsFigure, learningFigure, sweepFigure, trainingFigures,
	projectionFigure, timingFigure,
}

// figures draws all that the data has.
func figures(d *Data) []figure {
	var out []figure
	for _, make := range makers {
		out = append(out, make(d)...)
	}
	return out
}
