package finetune

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/heads"
)

// A Card is what README.md tells people beyond the [Record].
type Card struct {
	Title  string         // "" is made of task and data
	Report metrics.Report // of the held-out rows
}

// A cardTask is what a card says in words of its own for a kind of answer. Texts are templates of a [cardData].
type cardTask struct {
	What    string // what the model is
	Logits  string // what the graph's output means
	Same    string // what was the same when the file was proved, beside logits
	Class   string // what the lines of the table of classes are
	Show    string // Python that prints the answer of one input
	Limits  string
	Figures []cardMetric
}

// A cardMetric is a figure of a card, with the name the hub knows it by.
type cardMetric struct{ Key, Hub, Name string }

// cardTasks are the kinds of answers by what the record says.
var cardTasks = map[Problem]cardTask{
	SingleLabel: {
		What:   "A {{.Input}} classifier with {{len .Labels}} classes",
		Logits: "has one column a class, in the order of `id2label` in config.json; their softmax are the probabilities",
		Same:   "every class the same, every logit", Class: "class",
		Show:   `print(json.load(open(folder + "/config.json"))["id2label"][str(logits[0].argmax())])`,
		Limits: "It tells the classes above apart on inputs like those it was trained on; it has an answer for every input, also for one\nthat belongs to none of them.",
		Figures: []cardMetric{
			{"eval_accuracy", "accuracy", "Accuracy"}, {"eval_f1_macro", "f1", "F1, macro"}, {"eval_f1_weighted", "f1", "F1, weighted"},
			{"eval_precision_macro", "precision", "Precision, macro"}, {"eval_recall_macro", "recall", "Recall, macro"},
			{"eval_log_loss", "log_loss", "Log loss"},
		},
	},
	MultiLabel: {
		What:   "A {{.Input}} classifier that gives any number of {{len .Labels}} labels",
		Logits: "has one column a label, in the order of `id2label` in config.json; the sigmoid of each is its probability, and a label is\ngiven where its logit is above 0",
		Same:   "every label the same, every logit", Class: "label",
		Show:   `labels = json.load(open(folder + "/config.json"))["id2label"]` + "\n" + `print([labels[str(k)] for k, logit in enumerate(logits[0]) if logit > 0])`,
		Limits: "It tells which of the labels above an input like those it was trained on has; of other labels it knows nothing.",
		Figures: []cardMetric{
			{"eval_f1_micro", "f1", "F1, micro"}, {"eval_f1_macro", "f1", "F1, macro"}, {"eval_subset_accuracy", "accuracy", "Every label right"},
			{"eval_hamming_loss", "hamming_loss", "Share of labels wrong"}, {"eval_roc_auc", "roc_auc", "ROC AUC, mean of labels"},
		},
	},
	Regression: {
		What:   "A model that gives a number, {{cell (index .Labels 0)}}, for a {{.Input}}",
		Logits: "has one column, the number itself",
		Same:   "every number",
		Show:   `print(float(logits[0, 0]))`,
		Limits: "It gives numbers on the scale it was trained on, for inputs like those it was trained on; nothing keeps a number within\nthat scale.",
		Figures: []cardMetric{
			{"eval_spearmanr", "spearmanr", "Spearman"}, {"eval_pearson", "pearsonr", "Pearson"}, {"eval_rmse", "rmse", "RMSE"},
			{"eval_mae", "mae", "MAE"}, {"eval_r2", "r_squared", "R²"},
		},
	},
	"": {
		What:   "A model that finds {{len .Classes}} types of entities in a {{.Input}}, with a tag for each word",
		Logits: "is N×L×K: for each token one column a tag, in the order of `id2label` in config.json. The tag of a word is that of its first\ntoken; graft takes the best sequence of tags in which I-type follows B-type or I-type",
		Same:   "every tag the same, every logit", Class: "type",
		Show: `labels = json.load(open(folder + "/config.json"))["id2label"]
seen = set()
for token, word in enumerate(encoded.word_ids(0)):
    if word is not None and word not in seen:
        seen.add(word)
        start, end = encoded.word_to_chars(0, word)
        print(text[start:end], labels[str(logits[0, token].argmax())])`,
		Limits: "It finds names of the types above in texts like those it was trained on. Words that a text is cut before, because it is\ntoo long, count as outside of any name.",
		Figures: []cardMetric{
			{"eval_f1", "f1", "F1 of entities"}, {"eval_precision", "precision", "Precision of entities"}, {"eval_recall", "recall", "Recall of entities"},
			{"eval_accuracy", "accuracy", "Accuracy of tags"},
		},
	},
}

// mostClasses is how many classes a card lists one by one.
const mostClasses = 100

// A cardLine is one row of the card's table of figures.
type cardLine struct{ Hub, Name, Value, Range string }

// cardData is what the template sees.
type cardData struct {
	Record
	cardTask
	Title       string
	Input       string // what the model reads, in words
	Usage       string // the name of the template of how it is used
	Lines       []cardLine
	Plain       []cardLine // what baselines come to
	Classes     []metrics.Class
	MoreClasses int
	Head        string // in words; hides the record's
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
	d := cardData{Record: r, cardTask: cardTasks[r.Problem], Title: c.title(r), Classes: c.Report.Classes, Input: "text", Usage: "texts"}
	switch {
	case r.Task == ImageClassification:
		d.Input, d.Usage = "picture", "pictures"
	case r.Pairs:
		d.Input, d.Usage = "pair of texts", "pairs"
	}
	for _, m := range d.Figures {
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
	d.Plain = plainLines(r.Baselines, d.Figures)
	d.Head = headInWords(r.Head)
	var b bytes.Buffer
	err := cardTemplate.Execute(&b, d)
	return b.Bytes(), err
}

// headNames are the kinds of heads in words.
var headNames = map[heads.Kind]string{
	heads.KindLogistic: "logistic regression", heads.KindMultiLabel: "a logistic regression for each label", heads.KindRidge: "ridge regression",
	heads.KindSVM: "linear support vector machine", heads.KindCentroid: "nearest centroid", heads.KindKNN: "nearest neighbours",
	heads.KindMLP: "a small network",
}

// chosenInWords tells how a head was come by.
var chosenInWords = map[string]string{
	ChosenByCaller:      "given",
	ChosenByFolds:       "chosen by cross-validation on the training rows",
	ChosenByHoldOut:     "chosen on tenths of the training rows held out in turn",
	ChosenByValidation:  "chosen on the validation rows",
	ChosenByDefault:     "as there were too few rows to choose by",
	ChosenByLeaveOneOut: "chosen by the error of each training row in a fit on the others",
}

func headInWords(h RecordHead) string {
	words := cmp.Or(headNames[heads.Kind(h.Kind)], h.Kind)
	if h.C != 0 {
		words += fmt.Sprintf(", C = %.4g", h.C)
	}
	if by := chosenInWords[h.By]; by != "" {
		words += ", " + by
	}
	return words
}

// figure writes a metric as a card shows it.
func figure(v float64) string {
	if size := math.Abs(v); size >= 100 && size < 1e6 {
		return fmt.Sprintf("%.1f", v)
	}
	return metrics.Figure(v)
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

// plainLines are the first two figures of each baseline.
func plainLines(list []Baseline, figures []cardMetric) (lines []cardLine) {
	for _, b := range list {
		for _, m := range figures[:min(2, len(figures))] {
			if v, ok := b.Metrics[m.Key]; ok {
				lines = append(lines, cardLine{Name: b.Name, Range: m.Name, Value: figure(v)})
			}
		}
	}
	return lines
}
