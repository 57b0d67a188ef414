package finetune

import (
	"strings"
	"text/template"
)

// Say fills in a template of the card's words.
func (d cardData) Say(text string) (string, error) {
	t, err := template.New("").Funcs(cardFuncs).Parse(text)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = t.Execute(&b, d)
	return b.String(), err
}

// Hubs are the metrics' names on the hub, each once.
func (d cardData) Hubs() (names []string) {
	seen := map[string]bool{}
	for _, line := range d.Lines {
		if !seen[line.Hub] {
			seen[line.Hub], names = true, append(names, line.Hub)
		}
	}
	return names
}

// Kind is the head's kind with an article.
func (d cardData) Kind() string {
	name, _, _ := strings.Cut(d.Head, ",")
	if strings.HasPrefix(name, "a ") {
		return name
	}
	return "a " + name
}

var cardFuncs = template.FuncMap{"cell": cell, "quoted": quoted, "figure": figure}

var cardTemplate = template.Must(template.Must(template.New("card").Funcs(cardFuncs).Parse(`---
pipeline_tag: {{.Task}}
library_name: onnx
tags:
- onnx
- {{.Task}}
- graft
metrics:
{{- range .Hubs}}
- {{.}}
{{- end}}
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

{{.Say .What}}: {{if .Tune}}the backbone **{{cell .Backbone.Name}}**, fine-tuned ({{.Tune.Unfreeze}}), and a linear head on its
{{else}}a frozen backbone, **{{cell .Backbone.Name}}**, and {{.Kind}} on its
{{end}}{{.Backbone.Features}} features (from the tensor ` + "`{{cell .Backbone.Feature}}`" + `), joined in one ONNX file of standard operators.

## Results

On {{.Data.Test.Rows}} held-out rows that took no part in training or in any choice:

| metric | value | 95 % interval |
|---|---|---|
{{- range .Lines}}
| {{.Name}} | {{.Value}} | {{.Range}} |
{{- end}}
{{if .Classes}}
| {{.Class}} | precision | recall | F1 | rows |
|---|---|---|---|---|
{{- range .Classes}}
| {{cell .Label}} | {{figure .Precision}} | {{figure .Recall}} | {{figure .F1}} | {{.Support}} |
{{- end}}
{{- if .MoreClasses}}
| and {{.MoreClasses}} more | | | | |
{{- end}}
{{end}}
{{- if .Plain}}
What answers without the backbone come to on the same rows:

| baseline | metric | value |
|---|---|---|
{{- range .Plain}}
| {{.Name}} | {{.Range}} | {{.Value}} |
{{- end}}
{{end}}
{{- if .Warnings}}
Before these figures are believed:
{{range .Warnings}}
- {{cell .}}
{{- end}}
{{end}}
The file was opened again in ONNX Runtime after it was written, and gave the answers these figures were computed from:
{{.Same}} within {{.Proof.Tolerance}}, on {{.Proof.Rows}} rows.

## How to use it

The graph's output ` + "`logits`" + ` {{.Logits}}.
{{- with .Decision}}{{if or .Threshold .Abstain}} The output ` + "`label`" + ` is the answer itself, by the threshold and the least
confidence that config.json has under ` + "`decision`" + `{{if .Abstain}}; -1 where the model is too unsure to give one{{end}}.{{end}}{{end}}
{{if eq .Usage "pairs"}}{{template "pairs" .}}{{else if eq .Usage "pictures"}}{{template "pictures" .}}{{else}}{{template "texts" .}}{{end}}
## How it was made

| | |
|---|---|
| training rows | {{.Data.Train.Rows}} |
| validation rows | {{.Data.Validation.Rows}} |
| test rows | {{.Data.Test.Rows}} |
| exact duplicates left out | {{.Data.Report.Duplicates}} |
| head | {{.Head}} |
| preprocessing | ` + "`{{cell .Backbone.Preprocessing}}`" + ` |

run.json holds the digests of the data and of the backbone, every option, and the versions. The same inputs give the
same files, byte for byte; only the times in report.html and report/timings.* are those of a run.

## Intended use and limits

{{.Limits}} The figures hold for the data named here and no other. The backbone was not trained
further: its licence, its training data and their biases carry over.
`)).Parse(cardUsages))

// cardUsages are how models of each kind of input are used.
const cardUsages = `{{define "texts"}}
With Go, ` + "`graft predict --model <this folder>`" + ` reads one text a line.

With Python:

` + "```python" + `
import json, numpy as np, onnxruntime
from transformers import AutoTokenizer

folder, text = ".", "some text"
session = onnxruntime.InferenceSession(folder + "/model.onnx")
encoded = AutoTokenizer.from_pretrained(folder)([text], padding=True, truncation=True, return_tensors="np")
names = {i.name for i in session.get_inputs()}
logits = session.run(["logits"], {k: v.astype(np.int64) for k, v in encoded.items() if k in names})[0]
{{.Show}}
` + "```" + `
{{if ne .Problem "regression"}}
With JavaScript:

` + "```js" + `
import { env, pipeline } from '@huggingface/transformers';

env.localModelPath = '..'; // the folder above this one
const answer = await pipeline('{{.Task}}', 'this-folder', { subfolder: '', dtype: 'fp32' });
console.log(await answer('some text'));
` + "```" + `
{{end}}{{end}}{{define "pairs"}}
The two texts are prepared apart, each as one text is: the first is fed to the inputs the backbone has, the second to the
inputs of the same names with ` + "`_b`" + ` behind them. They may have different lengths. The backbone's weights are in the file
once and serve both; the head reads [u, v, |u−v|, u·v] of their features u and v.

With Go, ` + "`graft predict --model <this folder>`" + ` reads one pair a line, with a tab between.

With Python:

` + "```python" + `
import json, numpy as np, onnxruntime
from transformers import AutoTokenizer

folder = "."
session = onnxruntime.InferenceSession(folder + "/model.onnx")
tokenizer = AutoTokenizer.from_pretrained(folder)
names = {i.name for i in session.get_inputs()}
feeds = {}
for text, suffix in [("a text", ""), ("another text", "_b")]:
    encoded = tokenizer([text], padding=True, truncation=True, return_tensors="np")
    feeds |= {k + suffix: v.astype(np.int64) for k, v in encoded.items() if k + suffix in names}
logits = session.run(["logits"], feeds)[0]
{{.Show}}
` + "```" + `
{{end}}{{define "pictures"}}
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
{{.Show}}
` + "```" + `
{{end}}`
