package finetune

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/onnx"
)

// architectures are the class names Hugging Face's libraries know classifiers by, by model_type.
var architectures = map[Task]map[string]string{
	TextClassification:  textArchitectures,
	TokenClassification: textArchitectures,
	ImageClassification: {
		"beit": "Beit", "convnext": "ConvNext", "convnextv2": "ConvNextV2", "deit": "DeiT", "dinov2": "Dinov2",
		"efficientnet": "EfficientNet", "mobilenet_v1": "MobileNetV1", "mobilenet_v2": "MobileNetV2", "mobilevit": "MobileViT",
		"regnet": "RegNet", "resnet": "ResNet", "swin": "Swin", "vit": "ViT",
	},
}

var textArchitectures = map[string]string{
	"albert": "Albert", "bert": "Bert", "camembert": "Camembert", "deberta": "Deberta", "deberta-v2": "DebertaV2",
	"distilbert": "DistilBert", "electra": "Electra", "mpnet": "MPNet", "nomic_bert": "NomicBert", "roberta": "Roberta",
	"modernbert": "ModernBert", "xlm-roberta": "XLMRoberta",
}

// architectureSuffix is how those names end.
var architectureSuffix = map[Task]string{
	TextClassification:  "ForSequenceClassification",
	TokenClassification: "ForTokenClassification",
	ImageClassification: "ForImageClassification",
}

// decisionKey is where config.json has a [Decision].
const decisionKey = "decision"

// exportedConfig returns config.json of a model: the backbone's, with labels, in the order of the logits.
func exportedConfig(task Task, problem Problem, pairs bool, base map[string]any, labels []string, decision *Decision) ([]byte, error) {
	config := maps.Clone(base)
	if config == nil {
		config = map[string]any{}
	}
	for _, key := range []string{"_name_or_path", "architectures", "gradient_checkpointing", "problem_type", decisionKey} {
		delete(config, key)
	}
	if kind, ok := config["model_type"].(string); ok && !pairs { // no architecture of theirs reads two texts apart
		if name, ok := architectures[task][kind]; ok {
			config["architectures"] = []string{name + architectureSuffix[task]}
		}
	}
	var id2label, label2id ordered
	for i, label := range labels {
		id2label = append(id2label, pair{strconv.Itoa(i), label})
		label2id = append(label2id, pair{label, i})
	}
	config["id2label"], config["label2id"] = id2label, label2id
	config["num_labels"] = len(labels)
	if pairs {
		config["pair_input_suffix"] = pairSuffix // the graph's inputs of the second text are called so
	}
	if problem != "" {
		config["problem_type"] = problem
	}
	if decision != nil {
		config[decisionKey] = decision
	}
	return indented(config)
}

// indented is JSON as people read it, with a line end.
func indented(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}

// ordered is a JSON object whose keys keep their order.
type ordered []pair

type pair struct {
	key   string
	value any
}

// MarshalJSON implements json.Marshaler.
func (o ordered) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, p := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(p.key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(p.value)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// folderConfig is what a model folder's config.json says of its logits.
type folderConfig struct {
	labels   []string  // in the order of the logits
	problem  Problem   // "" where it does not say
	decision *Decision // nil where there is none
}

// target tells what logits of a shape are answers of.
func (c folderConfig) target(logits onnx.Shape) (dataset.Target, error) {
	if len(logits) == 3 {
		return dataset.Tags, nil
	}
	for target, g := range goals {
		if g.problem() == cmp.Or(c.problem, SingleLabel) {
			return target, nil
		}
	}
	return "", fmt.Errorf("problem_type is %q, want %q, %q or %q", c.problem, SingleLabel, MultiLabel, Regression)
}

// readConfig reads a folder's config.json.
func readConfig(dir string) (folderConfig, error) {
	path := filepath.Join(dir, configFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return folderConfig{}, fmt.Errorf("finetune: %w", err)
	}
	var config struct {
		ID2Label map[string]string `json:"id2label"`
		Problem  Problem           `json:"problem_type"`
		Decision *Decision         `json:"decision"`
	}
	if err := json.Unmarshal(data, &config); err != nil {
		return folderConfig{}, fmt.Errorf("finetune: %s: %w", path, err)
	}
	if len(config.ID2Label) == 0 {
		return folderConfig{}, fmt.Errorf("finetune: %s: no id2label: the folder holds no classifier", path)
	}
	labels := make([]string, len(config.ID2Label))
	for i := range labels {
		label, ok := config.ID2Label[strconv.Itoa(i)]
		if !ok {
			return folderConfig{}, fmt.Errorf("finetune: %s: id2label has %d labels but none for %d", path, len(labels), i)
		}
		labels[i] = label
	}
	return folderConfig{labels, config.Problem, config.Decision}, nil
}
