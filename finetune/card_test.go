package finetune

import (
	"strings"
	"testing"

	"github.com/onnx-graft/graft/finetune/metrics"
)

// Each kind of answer has a card that says what the logits are, and shows its own figures.
func TestCards(t *testing.T) {
	for name, c := range map[string]struct {
		r       Record
		metrics map[string]float64
		says    []string
		not     []string
	}{
		"classes": {Record{Task: TextClassification, Problem: SingleLabel, Labels: []string{"a", "b"}, Head: RecordHead{Kind: "logistic", C: 0.1, By: ChosenByFolds}},
			map[string]float64{"eval_accuracy": 0.5}, []string{"A text classifier with 2 classes", "| Accuracy | 0.5000 |", "argmax()", "logistic regression, C = 0.1, chosen by cross-validation", "a logistic regression on its", "pipeline("}, []string{"input_b"}},
		"pictures": {Record{Task: ImageClassification, Problem: SingleLabel, Labels: []string{"a", "b"}}, nil, []string{"A picture classifier", "AutoImageProcessor"}, []string{"AutoTokenizer"}},
		"scores of pairs": {Record{Task: TextClassification, Problem: Regression, Pairs: true, Labels: []string{"score"}, Head: RecordHead{Kind: "ridge"}},
			map[string]float64{"eval_spearmanr": 0.83}, []string{"gives a number, score, for a pair of texts", "| Spearman | 0.8300 |", "`_b`", "float(logits[0, 0])", "- spearmanr", "a ridge regression on its"}, []string{"softmax", "pipeline(", "argmax"}},
		"scores of texts": {Record{Task: TextClassification, Problem: Regression, Labels: []string{"score"}}, nil, []string{"for a text", "float(logits[0, 0])"}, []string{"`_b`", "pipeline("}},
		"labels": {Record{Task: TextClassification, Problem: MultiLabel, Labels: []string{"a", "b"}},
			map[string]float64{"eval_f1_micro": 0.7}, []string{"any number of 2 labels", "sigmoid", "| F1, micro | 0.7000 |"}, []string{"softmax"}},
		"tokens": {Record{Task: TokenClassification, Labels: []string{"O", "B-per"}},
			map[string]float64{"eval_f1": 0.4}, []string{"finds 1 types of entities in a text", "N×L×K", "| F1 of entities | 0.4000 |", "| type | precision", "word_to_chars", "token-classification"}, []string{"softmax"}},
	} {
		report := metrics.Report{Metrics: c.metrics}
		if c.r.Task == TokenClassification {
			report.Classes = []metrics.Class{{Label: "per"}}
		}
		text, err := Card{Report: report}.markdown(c.r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, s := range c.says {
			if !strings.Contains(string(text), s) {
				t.Errorf("%s: the card does not say %q:\n%s", name, s, text)
			}
		}
		for _, s := range append(c.not, "{{", "<no value>", "\\n") {
			if strings.Contains(string(text), s) {
				t.Errorf("%s: the card says %q", name, s)
			}
		}
	}
}
