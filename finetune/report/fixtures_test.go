package report

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"testing"
)

// hostile is a text that would break a page, a drawing or a line of either if it were not escaped.
const hostile = `</script><script>alert("x")</script> & <img src=x onerror=alert(1)> "quoted" 'single' {{.Title}} ` + "\x00\x1b[31m\xff\u202e שלום 你好 👩‍👩‍👧 " +
	"Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"

// fixtures are data of every kind of run, made up by a seed.
func fixtures(t testing.TB) map[string]*Data {
	t.Helper()
	return map[string]*Data{
		"text":       classes("Banking questions", "text-classification", 77, 3080, 0.93),
		"many":       classes("Very many classes", "text-classification", 400, 8000, 0.7),
		"binary":     classes("Film reviews", "text-classification", 2, 1821, 0.91),
		"image":      pictures(t),
		"regression": regression(),
		"ner":        entities(),
		"hostile":    hostileData(),
		"empty":      {Title: "Nothing", Task: "text-classification"},
	}
}

func p(v float64) *float64 { return &v }

func headline(accuracy float64) []Metric {
	return []Metric{
		{Key: "eval_accuracy", Name: "Accuracy", Value: accuracy, Range: &Range{accuracy - 0.009, accuracy + 0.008}, Percent: true},
		{Key: "eval_f1_macro", Name: "F1, macro", Value: accuracy - 0.004, Range: &Range{accuracy - 0.014, accuracy + 0.006}, Percent: true},
		{Key: "eval_mcc", Name: "Matthews correlation", Value: accuracy - 0.01, Range: &Range{accuracy - 0.02, accuracy}},
		{Key: "eval_roc_auc", Name: "ROC AUC", Value: 0.994, Range: &Range{0.991, 0.996}},
		{Key: "eval_log_loss", Name: "Log loss", Value: 0.2817, Range: &Range{0.2651, 0.3004}, Less: true},
		{Key: "eval_ece", Name: "Calibration error (ECE)", Value: 0.021, Range: &Range{0.016, 0.031}, Percent: true, Less: true},
	}
}

func classes(title, task string, k, rows int, accuracy float64) *Data {
	rng := rand.New(rand.NewPCG(uint64(k), 7))
	d := &Data{
		Title: title, Task: task, Classes: k, Rows: Rows{rows * 3, rows / 5, rows}, Metrics: headline(accuracy),
		Lead: "A text classifier: a logistic regression on 384 frozen features of all-MiniLM-L6-v2, in one ONNX file.",
		Baselines: []Baseline{
			{"majority class", map[string]float64{"eval_accuracy": 1 / float64(k), "eval_f1_macro": 0.3 / float64(k), "eval_log_loss": math.Log(float64(k))}},
			{"bag of words", map[string]float64{"eval_accuracy": accuracy - 0.1, "eval_f1_macro": accuracy - 0.11, "eval_log_loss": 0.61}},
		},
		Warnings: []string{"the largest class has 1.9 times the rows of the smallest: read F1, macro, beside accuracy"},
		ECE:      p(0.021),
		Learning: &Learning{Score: "Accuracy", Percent: true, Advice: "more labels would help: with twice the rows accuracy would go from about 0.930 to 0.944",
			Points: []LearningPoint{{120, 0.71, 0.02}, {250, 0.79, 0.014}, {500, 0.852, 0.01}, {1000, 0.89, 0.008}, {2000, 0.912, 0.005}, {rows * 3, accuracy, 0.004}},
			Trend:  []XY{{120, 0.7}, {1000, 0.88}, {float64(rows) * 6, accuracy + 0.02}}},
		Sweep: []SweepPoint{{"layer 3, mean", 384, 0.86, 0.01, false}, {"layer 4, mean", 384, 0.89, 0.01, false},
			{"layer 5, mean", 384, 0.921, 0.008, false}, {"layer 6, mean", 384, accuracy, 0.008, true}, {"pooler_output", 384, 0.9, 0.009, false}},
		Training: []Epoch{{0, nil, p(-0.3), false}, {1, p(0.41), p(-0.26), false}, {2, p(0.22), p(-0.24), true}, {3, p(0.13), p(-0.25), false}},
		Timings:  []Timing{{"extract", 12.4}, {"probe", 0.412}, {"tune", 93}, {"evaluate", 0.031}, {"export", 0.22}, {"verify", 1.9}},
		Run: []Facts{
			{"Model", []Fact{{"backbone", "all-MiniLM-L6-v2", false}, {"SHA-256", "3b1f0d2c6e5a49788c0f7d5b6a1e2c3d4f5061728394a5b6c7d8e9f001122334", true}, {"head", "logistic, C = 3.16", false}}},
			{"Command", []Fact{{"options", "graft finetune --data ./banking77 --out ./model --C auto", true}, {"graft", "v0.9.0", false}, {"onnxruntime", "1.26.0", false}}},
		},
	}
	for i := range k {
		d.Labels = append(d.Labels, fmt.Sprintf("%s_%d", []string{"card_arrival", "exchange_rate", "top_up_by_bank_transfer_charge", "pin_blocked", "refund"}[i%5], i))
	}
	if k == 2 {
		d.Training = []Epoch{{0, nil, p(0.88), false}, {1, p(0.41), p(0.9), false}, {2, p(0.22), p(0.92), true}}
		d.Labels = []string{"negative", "positive"}
	}
	d.Confusion = make([][]int, k)
	for i := range k {
		d.Confusion[i] = make([]int, k)
		of := rows/k + rng.IntN(1+rows/k/2)
		for range of {
			j := i
			if rng.Float64() > accuracy {
				j = (i + 1 + int(rng.ExpFloat64()*float64(k)/6)) % k
			}
			d.Confusion[i][j]++
		}
		right := float64(d.Confusion[i][i]) / float64(of)
		d.PerClass = append(d.PerClass, Class{d.Labels[i], right - 0.01, right, right - 0.005, of, p(0.99)})
	}
	for c := range min(k, 5) {
		d.Precision = append(d.Precision, curve([]string{"all classes", d.Labels[1], d.Labels[0], d.Labels[k/2], d.Labels[k-1]}[c], 0.97-0.04*float64(c)))
	}
	for i := range 15 {
		low := float64(i) / 15
		d.Reliability = append(d.Reliability, Bin{low, low + 1.0/15, i * i * 9, low + 0.04, max(0, low+0.03*math.Sin(float64(i)*2))})
	}
	one := Path{Head: "logistic", Score: "accuracy", Percent: true, Chosen: p(math.Pow(10, 0.5))}
	other := Path{Head: "svm", Score: "accuracy"}
	for e := -6.0; e <= 6; e += 0.5 {
		v := accuracy - 0.006*(e-1)*(e-1)
		one.Points = append(one.Points, PathPoint{math.Pow(10, e), v, 0.008})
		other.Points = append(other.Points, PathPoint{math.Pow(10, e), v - 0.02 + 0.01*e/6, 0.01})
	}
	d.Path = []Path{one, other}
	d.Heads = []Candidate{{"logistic", 0.28, 0.01, accuracy, true}, {"svm", 0.31, 0.01, accuracy - 0.004, false}, {"centroid", 0.6, 0.01, accuracy - 0.05, false}}
	for i := range 12 {
		d.Mistakes = append(d.Mistakes, Mistake{ID: fmt.Sprintf("test.csv:%d", 17+31*i), Text: "I was wondering why the transfer that I made to my friend last Tuesday still shows as pending in the app?",
			Truth: d.Labels[i%k], Predicted: d.Labels[(i+1)%k], Confidence: 0.99 - 0.02*float64(i)})
	}
	d.Projection = cloud(rng, k, 1200)
	return d
}

func curve(label string, sharp float64) Curve {
	c := Curve{Label: label, Average: p(sharp)}
	for i := range 101 {
		r := float64(i) / 100
		c.Points = append(c.Points, XY{r, 1 - (1-sharp)*math.Pow(r, 6)*8})
	}
	return c
}

func cloud(rng *rand.Rand, k, n int) *Projection {
	out := &Projection{Method: "PCA", Explained: [2]float64{0.113, 0.071}, Of: n * 2}
	for i := range n {
		c := i % max(1, k)
		sin, cos := math.Sincos(float64(c) * 2 * math.Pi / float64(max(1, k)))
		q := Place{X: 2*cos + rng.NormFloat64()*0.7, Y: 2*sin + rng.NormFloat64()*0.7, Class: c, Wrong: rng.Float64() < 0.06}
		if k == 0 {
			q.Class, q.Value = -1, rng.Float64()
		}
		out.Points = append(out.Points, q)
	}
	return out
}

func pictures(t testing.TB) *Data {
	d := classes("Flowers", "image-classification", 5, 900, 0.96)
	d.Labels = []string{"daisy", "dandelion", "roses", "sunflowers", "tulips"}
	for i := range d.PerClass {
		d.PerClass[i].Label = d.Labels[i]
	}
	d.Training, d.Sweep = nil, nil
	for i := range d.Mistakes {
		img := image.NewRGBA(image.Rect(0, 0, 96, 96))
		for y := range 96 {
			for x := range 96 {
				img.Set(x, y, color.RGBA{uint8(20*i + x), uint8(255 - 2*y), uint8(x * y / 40), 255})
			}
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, nil); err != nil {
			t.Fatal(err)
		}
		d.Mistakes[i].Picture, d.Mistakes[i].Text = b.Bytes(), ""
		d.Mistakes[i].Truth, d.Mistakes[i].Predicted = d.Labels[i%5], d.Labels[(i+2)%5]
		d.Mistakes[i].ID = fmt.Sprintf("test/%s/10140303196_b88d3d6cec_n_%02d.jpg", d.Labels[i%5], i)
	}
	return d
}

func regression() *Data {
	rng := rand.New(rand.NewPCG(3, 3))
	d := &Data{
		Title: "Sentence similarity", Task: "text-regression", Rows: Rows{5749, 1500, 1379},
		Lead: "Predicts how alike two sentences are, from 0 to 5: ridge regression on 1,536 features of a pair.",
		Metrics: []Metric{
			{Key: "eval_spearmanr", Name: "Spearman", Value: 0.8301, Range: &Range{0.812, 0.846}},
			{Key: "eval_pearson", Name: "Pearson", Value: 0.8382, Range: &Range{0.822, 0.852}},
			{Key: "eval_r2", Name: "R²", Value: 0.698, Range: &Range{0.671, 0.722}},
			{Key: "eval_mae", Name: "Mean absolute error", Value: 0.632, Range: &Range{0.61, 0.66}, Less: true},
			{Key: "eval_rmse", Name: "RMSE", Value: 0.811, Range: &Range{0.78, 0.84}, Less: true},
		},
		Baselines: []Baseline{{"mean of the training rows", map[string]float64{"eval_spearmanr": 0, "eval_mae": 1.28}}, {"plain cosine", map[string]float64{"eval_spearmanr": 0.820}}},
		Timings:   []Timing{{"extract", 31.2}, {"probe", 1.2}, {"verify", 3.3}},
		Run:       []Facts{{"Model", []Fact{{"backbone", "all-MiniLM-L6-v2", false}}}},
	}
	v := Values{Target: "score"}
	for range 1379 {
		y := math.Round(rng.Float64()*50) / 10
		v.Truth = append(v.Truth, y)
		v.Predicted = append(v.Predicted, 0.4+0.82*y+rng.NormFloat64()*0.7)
	}
	d.Values = []Values{v}
	ridge := Path{Head: "ridge", Score: "R²", Chosen: p(0.01)}
	for e := -4.0; e <= 3; e++ {
		ridge.Points = append(ridge.Points, PathPoint{math.Pow(10, e), 0.7 - 0.01*(e+2)*(e+2), 0})
	}
	d.Path = []Path{ridge}
	for i := range 6 {
		d.Mistakes = append(d.Mistakes, Mistake{ID: fmt.Sprintf("sts-test.csv:%d", 40*i+3), Text: "A man is playing a guitar.\nA man is not playing a guitar.", Truth: "1.2", Predicted: fmt.Sprintf("%.2f", 4.4-0.1*float64(i))})
	}
	d.Projection = cloud(rng, 0, 1000)
	return d
}

func entities() *Data {
	d := &Data{
		Title: "Entities in noisy text", Task: "token-classification", Rows: Rows{3394, 1009, 1287}, Labels: []string{"corporation", "creative-work", "group", "location", "person", "product"},
		Lead: "Finds six kinds of entities: a linear head on every token of a frozen encoder.",
		Metrics: []Metric{
			{Key: "eval_f1", Name: "Entity F1", Value: 0.412, Range: &Range{0.383, 0.44}, Percent: true},
			{Key: "eval_precision", Name: "Precision", Value: 0.521, Range: &Range{0.49, 0.56}, Percent: true},
			{Key: "eval_recall", Name: "Recall", Value: 0.341, Range: &Range{0.31, 0.37}, Percent: true},
			{Key: "eval_accuracy", Name: "Token accuracy", Value: 0.941, Range: &Range{0.936, 0.946}, Percent: true},
		},
		Timings: []Timing{{"extract", 8.1}, {"probe", 22.4}, {"verify", 2.2}},
		Run:     []Facts{{"Model", []Fact{{"backbone", "bert-tiny", false}}}},
	}
	for i, kind := range d.Labels {
		f := 0.2 + 0.07*float64(i)
		d.PerClass = append(d.PerClass, Class{Label: kind, Precision: f + 0.1, Recall: f - 0.08, F1: f, Rows: 60 + 90*i})
	}
	words := []string{"Just", "saw", "Taylor", "Swift", "at", "the", "Empire", "State", "Building", "with", "an", "iPhone", "14", "!", "#wow"}
	d.Sentences = []Sentence{
		{words, []Span{{2, 4, "person"}, {6, 9, "location"}, {11, 13, "product"}}, []Span{{2, 4, "person"}, {6, 8, "corporation"}, {11, 13, "product"}}},
		{words, []Span{{2, 4, "person"}}, nil},
		{[]string{"RT", "@user", ":", "Google", "hires", "Jane", "Doe"}, []Span{{3, 4, "corporation"}, {5, 7, "person"}}, []Span{{3, 4, "corporation"}, {5, 7, "person"}}},
	}
	return d
}

// hostileData has a hostile text wherever a text can stand, and values that are no numbers to draw.
func hostileData() *Data {
	d := classes(hostile, hostile, 3, 90, 0.5)
	d.Lead, d.Labels = hostile, []string{hostile, hostile + hostile, ""}
	d.Warnings = []string{hostile}
	d.Metrics[0].Name, d.Baselines[0].Name = hostile, hostile
	for i := range d.PerClass {
		d.PerClass[i].Label = d.Labels[i]
	}
	for i := range d.Mistakes {
		d.Mistakes[i] = Mistake{ID: hostile, Text: hostile, Picture: []byte(hostile), Truth: hostile, Predicted: hostile, Confidence: 0.5}
	}
	d.Precision[0].Label, d.Path[0].Head, d.Sweep[0].Layer, d.Timings[0].Stage = hostile, hostile, hostile, hostile
	d.Run = []Facts{{hostile, []Fact{{hostile, hostile, false}, {hostile, hostile, true}}}}
	d.Sentences = []Sentence{{[]string{hostile, "a", hostile}, []Span{{0, 1, hostile}, {-3, 9, hostile}, {2, 3, hostile}}, []Span{{1, 1, ""}}}}
	d.Values = []Values{{hostile, []float64{1, 1, 1}, []float64{1, 1, 1}}, {hostile, []float64{0, 1e300}, []float64{-1e300, 5}}}
	return d
}
