package finetune

import (
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/tune"
)

// A Record is what run.json says of a model: all that it was made from and came to, and nothing that the same command
// would not give again: no times, no places.
type Record struct {
	Task     Task               `json:"task"`
	Problem  Problem            `json:"problem_type,omitempty"`
	Pairs    bool               `json:"pairs,omitempty"` // the model reads pairs of inputs
	Backbone RecordBackbone     `json:"backbone"`
	Data     RecordData         `json:"data"`
	Labels   []string           `json:"labels"`
	Head     RecordHead         `json:"head"`
	Tune     *RecordTune        `json:"tune,omitempty"`
	Sweep    []SweepPoint       `json:"sweep,omitempty"`
	Metrics  map[string]float64 `json:"metrics"`
	// Baselines are what answers without the backbone come to on the same rows.
	Baselines []Baseline        `json:"baselines"`
	Warnings  []string          `json:"warnings,omitempty"`
	Decision  *Decision         `json:"decision,omitempty"`
	Learning  *LearningCurve    `json:"learning_curve,omitempty"`
	Proof     RecordProof       `json:"verify"`
	Options   map[string]any    `json:"options,omitempty"`  // as the caller gave them
	Versions  map[string]string `json:"versions,omitempty"` // of graft and of the runtime
}

// A RecordBackbone identifies a backbone.
type RecordBackbone struct {
	Name          string `json:"name"`
	SHA256        string `json:"sha256"` // of the graph that gives features
	Feature       string `json:"feature"`
	Features      int    `json:"features"` // D
	Preprocessing string `json:"preprocessing"`
}

// RecordData identifies the rows.
type RecordData struct {
	Name       string         `json:"name"`
	Train      RecordRows     `json:"train"`
	Validation RecordRows     `json:"validation"`
	Test       RecordRows     `json:"test"`
	Report     dataset.Report `json:"report"`
}

// RecordRows identify the rows of a split by content, label and order.
type RecordRows struct {
	Rows   int    `json:"rows"`
	SHA256 string `json:"sha256"`
}

// A RecordHead says how the head was fitted.
type RecordHead struct {
	Kind  string      `json:"kind"`
	C     float64     `json:"c,omitempty"` // 0: it has none
	By    string      `json:"c_by"`
	Scale float64     `json:"scale,omitempty"` // what a ridge's or SVM's logits were multiplied by
	Loss  string      `json:"loss,omitempty"`  // what path's means are of
	Path  []PathPoint `json:"path,omitempty"`
	Heads []PathPoint `json:"heads,omitempty"` // the points that stand for their kinds, where several were compared
}

// A RecordTune says how the backbone's own weights moved.
type RecordTune struct {
	Unfreeze string        `json:"unfreeze"`
	Settings tune.Settings `json:"settings"`
	Trained  int           `json:"trained"` // numbers
	Best     int           `json:"best_epoch"`
	History  []tune.Epoch  `json:"history"`
	// Rates are the learning-rate finder's curve, where it was asked.
	Rates []tune.RatePoint `json:"rates,omitempty"`
}

func recordTune(r *tune.Result) *RecordTune {
	return &RecordTune{Unfreeze: r.Settings.Unfreeze.String(), Settings: r.Settings, Trained: r.Trained, Best: r.Best, History: r.History, Rates: r.Rates}
}

// A RecordProof says what the written model has proved.
type RecordProof struct {
	Rows      int     `json:"rows"`
	Tolerance float64 `json:"tolerance"`
}

func recordRows[T any](examples []dataset.Example[T]) RecordRows {
	return RecordRows{Rows: len(examples), SHA256: dataset.Digest(examples)}
}
