package finetune

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/template"

	"github.com/onnx-graft/graft/finetune/metrics"
)

// A Card is what README.md tells people beyond the [Record].
type Card struct {
	Title  string         // "" is made of task and data
	Report metrics.Report // of the held-out rows
}

// cardMetrics are the figures of a card, in order, with the names the hub knows them by.
var cardMetrics = []struct{ Key, Hub, Name string }{
	{"eval_accuracy", "accuracy", "Accuracy"},
	{"eval_f1_macro", "f1", "F1, macro"},
	{"eval_f1_weighted", "f1", "F1, weighted"},
	{"eval_precision_macro", "precision", "Precision, macro"},
	{"eval_recall_macro", "recall", "Recall, macro"},
	{"eval_log_loss", "log_loss", "Log loss"},
}

// mostClasses is how many classes a card lists one by one.
const mostClasses = 100

// A cardLine is one row of the card's table of figures.
type cardLine struct{ Hub, Name, Value, Range string }

// cardData is what the template sees.
type cardData struct {
	Record
	Title       string
	Text        bool
	Lines       []cardLine
	Classes     []metrics.Class
	MoreClasses int
	Chosen      string
}

// title is the card's, or one made of task and data.
func (c Card) title(r Record) string {
	if c.Title != "" {
		return c.Title
	}
	return fmt.Sprintf("%s on %s", strings.ReplaceAll(string(r.Task), "-", " "), r.Data.Name)
}

// markdown writes the model card.
func (c Card) markdown(r Record) ([]byte, error) {
	d := cardData{Record: r, Title: c.title(r), Text: r.Task == TextClassification, Classes: c.Report.Classes}
	for _, m := range cardMetrics {
		v, ok := c.Report.Metrics[m.Key]
		if !ok {
			continue
		}
		line := cardLine{Hub: m.Hub, Name: m.Name, Value: figure(v)}
		if i, ok := c.Report.Intervals[m.Key]; ok {
			line.Range = figure(i.Low) + " to " + figure(i.High)
		}
		d.Lines = append(d.Lines, line)
	}
	if len(d.Classes) > mostClasses {
		d.MoreClasses = len(d.Classes) - mostClasses
		d.Classes = slices.Clone(d.Classes[:mostClasses])
	}
	d.Chosen = map[string]string{
		ChosenByCaller:     "given",
		ChosenByFolds:      "chosen by cross-validation on the training rows",
		ChosenByValidation: "chosen on the validation rows",
	}[r.Head.By]
	var b bytes.Buffer
	err := cardTemplate.Execute(&b, d)
	return b.Bytes(), err
}

// figure writes a metric as a card shows it.
func figure(v float64) string {
	if math.Abs(v) >= 100 {
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.4f", v)
}

// cell makes a string safe within a table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\r", " ", "\n", " ", "<", "&lt;").Replace(s)
}

// quoted writes a string as YAML and the languages of the examples read it.
func quoted(s string) (string, error) {
	b, err := json.Marshal(s)
	return string(b), err
}

var cardTemplate = template.Must(template.New("card").Funcs(template.FuncMap{"cell": cell, "quoted": quoted, "figure": figure}).Parse(`---
pipeline_tag: {{.Task}}
library_name: onnx
tags:
- onnx
- {{.Task}}
- graft
metrics:
- accuracy
- f1
model-index:
- name: {{quoted .Title}}
  results:
  - task:
      type: {{.Task}}
    dataset:
      name: {{quoted .Data.Name}}
      type: {{quoted .Data.Name}}
      split: test
    metrics:
{{- range .Lines}}
    - type: {{.Hub}}
      name: {{quoted .Name}}
      value: {{.Value}}
{{- end}}
---

# {{cell .Title}}

A {{if .Text}}text{{else}}picture{{end}} classifier with {{len .Labels}} classes: {{if .Tune}}the backbone **{{cell .Backbone.Name}}**, fine-tuned ({{.Tune.Unfreeze}}), and a linear head on its
{{else}}a frozen backbone, **{{cell .Backbone.Name}}**, and a logistic regression on its
{{end}}{{.Backbone.Features}} features (from the tensor ` + "`{{cell .Backbone.Feature}}`" + `), joined in one ONNX file of standard operators.

## Results

On {{.Data.Test.Rows}} held-out rows that took no part in training or in any choice:

| metric | value | 95 % interval |
|---|---|---|
{{- range .Lines}}
| {{.Name}} | {{.Value}} | {{.Range}} |
{{- end}}

| class | precision | recall | F1 | rows |
|---|---|---|---|---|
{{- range .Classes}}
| {{cell .Label}} | {{figure .Precision}} | {{figure .Recall}} | {{figure .F1}} | {{.Support}} |
{{- end}}
{{- if .MoreClasses}}
| and {{.MoreClasses}} more | | | | |
{{- end}}

The file was opened again in ONNX Runtime after it was written, and gave the answers these figures were computed from:
every class the same, every logit within {{.Proof.Tolerance}}, on {{.Proof.Rows}} rows.

## How to use it

The graph's output ` + "`logits`" + ` has one column a class, in the order of ` + "`id2label`" + ` in config.json; their softmax are the probabilities.
{{if .Text}}
With Go, ` + "`graft predict --model <this folder>`" + ` reads one text a line.

With Python:

` + "```python" + `
import json, numpy as np, onnxruntime
from transformers import AutoTokenizer

folder = "."
session = onnxruntime.InferenceSession(folder + "/model.onnx")
inputs = AutoTokenizer.from_pretrained(folder)(["some text"], padding=True, truncation=True, return_tensors="np")
names = {i.name for i in session.get_inputs()}
logits = session.run(["logits"], {k: v.astype(np.int64) for k, v in inputs.items() if k in names})[0]
print(json.load(open(folder + "/config.json"))["id2label"][str(logits[0].argmax())])
` + "```" + `

With JavaScript:

` + "```js" + `
import { env, pipeline } from '@huggingface/transformers';

env.localModelPath = '..'; // the folder above this one
const classify = await pipeline('text-classification', 'this-folder', { subfolder: '', dtype: 'fp32' });
console.log(await classify('some text'));
` + "```" + `
{{else}}
With Go, ` + "`graft predict --model <this folder> picture.jpg`" + `.

With Python:

` + "```python" + `
import json, onnxruntime
from PIL import Image
from transformers import AutoImageProcessor

folder = "."
session = onnxruntime.InferenceSession(folder + "/model.onnx")
pixels = AutoImageProcessor.from_pretrained(folder, use_fast=False)(Image.open("picture.jpg"), return_tensors="np")["pixel_values"]
logits = session.run(["logits"], {session.get_inputs()[0].name: pixels})[0]
print(json.load(open(folder + "/config.json"))["id2label"][str(logits[0].argmax())])
` + "```" + `
{{end}}
## How it was made

| | |
|---|---|
| training rows | {{.Data.Train.Rows}} |
| validation rows | {{.Data.Validation.Rows}} |
| test rows | {{.Data.Test.Rows}} |
| exact duplicates left out | {{.Data.Report.Duplicates}} |
| head | logistic regression, C = {{.Head.C}}, {{.Chosen}} |
| preprocessing | ` + "`{{cell .Backbone.Preprocessing}}`" + ` |

run.json holds the digests of the data and of the backbone, every option, and the versions. The same inputs give the
same files, byte for byte; only the times in report.html and report/timings.* are those of a run.

## Intended use and limits

It tells the classes above apart on inputs like those it was trained on; it has an answer for every input, also for one
that belongs to none of them. The figures hold for the data named here and no other. The backbone was not trained
further: its licence, its training data and their biases carry over.
`))
