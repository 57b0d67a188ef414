package report

// Data is all that a report shows. It knows nothing of how the figures were come by; what is empty is left out. Its JSON is
// report.json.
type Data struct {
	Title   string `json:"title"`
	Lead    string `json:"lead,omitempty"` // one sentence on what was made
	Task    string `json:"task"`           // a Hugging Face name: "text-classification"
	Rows    Rows   `json:"rows"`
	Classes int    `json:"classes,omitempty"`

	Metrics   []Metric   `json:"metrics"` // the most telling first
	Baselines []Baseline `json:"baselines,omitempty"`
	Warnings  []string   `json:"warnings,omitempty"` // one sentence each

	// Labels are the names of classes, labels or kinds of entities.
	Labels []string `json:"labels,omitempty"`
	// Confusion[i][j] counts the rows of class i predicted as class j.
	Confusion   [][]int  `json:"confusion,omitempty"`
	PerClass    []Class  `json:"per_class,omitempty"`
	Precision   []Curve  `json:"precision_recall,omitempty"` // recall by precision
	Reliability []Bin    `json:"reliability,omitempty"`
	ECE         *float64 `json:"ece,omitempty"`

	Path     []Path       `json:"c_path,omitempty"`
	Heads    []Candidate  `json:"heads,omitempty"`
	Learning *Learning    `json:"learning_curve,omitempty"`
	Sweep    []SweepPoint `json:"layers,omitempty"`
	Training []Epoch      `json:"training,omitempty"`

	Values     []Values    `json:"values,omitempty"` // of regression, one for each target
	Sentences  []Sentence  `json:"sentences,omitempty"`
	Mistakes   []Mistake   `json:"mistakes,omitempty"` // the most confident first
	Projection *Projection `json:"projection,omitempty"`

	// Timings are in a file of their own: they are all that two runs of the same do not share.
	Timings []Timing `json:"-"`
	Run     []Facts  `json:"run,omitempty"` // what was run
}

// Rows are the sizes of the splits.
type Rows struct {
	Train      int `json:"train"`
	Validation int `json:"validation"`
	Test       int `json:"test"`
}

// A Metric is a headline figure.
type Metric struct {
	Key     string  `json:"key"`  // Hugging Face's name: "eval_accuracy"
	Name    string  `json:"name"` // for people
	Value   float64 `json:"value"`
	Range   *Range  `json:"interval_95,omitempty"`
	Percent bool    `json:"percent,omitempty"` // a share, 0 to 1
	Less    bool    `json:"less_is_better,omitempty"`
}

// A Range is an interval.
type Range struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// A Baseline is what something simpler came to on the same rows, by the keys of metrics.
type Baseline struct {
	Name    string             `json:"name"`
	Metrics map[string]float64 `json:"metrics"`
}

// A Class is one line of the per-class table.
type Class struct {
	Label     string   `json:"label"`
	Precision float64  `json:"precision"`
	Recall    float64  `json:"recall"`
	F1        float64  `json:"f1"`
	Rows      int      `json:"rows"`
	ROCAUC    *float64 `json:"roc_auc,omitempty"`
}

// A Curve is precision by recall of one class against the rest, or of all together.
type Curve struct {
	Label   string   `json:"label"`
	Average *float64 `json:"average_precision,omitempty"`
	Points  []XY     `json:"points"` // X recall, Y precision
}

// XY is a pair of values.
type XY struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// A Bin is what rows of similar confidence came to.
type Bin struct {
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Rows       int     `json:"rows"`
	Confidence float64 `json:"confidence"` // mean
	Accuracy   float64 `json:"accuracy"`
}

// A Path is how one head did by the strength of its penalty on rows it was not fitted on.
type Path struct {
	Head    string      `json:"head"`
	Score   string      `json:"score"`             // what the scores are: "accuracy"
	Percent bool        `json:"percent,omitempty"` // they are shares
	Points  []PathPoint `json:"points"`
	Chosen  *float64    `json:"chosen,omitempty"` // the C chosen; nil: another head was
}

// A PathPoint is one C: the mean score and its standard error, 0 where it is not known.
type PathPoint struct {
	C    float64 `json:"c"`
	Mean float64 `json:"mean"`
	SE   float64 `json:"se,omitempty"`
}

// A Candidate is a head that was chosen among: its loss on rows it was not fitted on, and, of classes, its accuracy.
type Candidate struct {
	Name     string  `json:"name"`
	Loss     float64 `json:"loss"`
	SE       float64 `json:"se,omitempty"`
	Accuracy float64 `json:"accuracy,omitempty"`
	Chosen   bool    `json:"chosen,omitempty"`
}

// Learning is a score by the number of rows a head was fitted on.
type Learning struct {
	Score   string          `json:"score"` // what the score is
	Percent bool            `json:"percent,omitempty"`
	Points  []LearningPoint `json:"points"`           // ascending in Rows
	Trend   []XY            `json:"trend,omitempty"`  // a fitted curve, which may go on beyond the points: score by rows
	Advice  string          `json:"advice,omitempty"` // a sentence
}

// A LearningPoint is the score of a head fitted on that many rows, and its standard error.
type LearningPoint struct {
	Rows int     `json:"rows"`
	Mean float64 `json:"mean"`
	SE   float64 `json:"se,omitempty"`
}

// A SweepPoint is how a probe on one layer did.
type SweepPoint struct {
	Layer  string  `json:"layer"`
	Dim    int     `json:"dim"`
	Score  float64 `json:"score"`
	SE     float64 `json:"se,omitempty"`
	Chosen bool    `json:"chosen,omitempty"`
}

// An Epoch is a line of a training's history; nil is what is not known.
type Epoch struct {
	Number int      `json:"epoch"`
	Loss   *float64 `json:"loss,omitempty"`
	Score  *float64 `json:"score,omitempty"` // on validation rows
	Kept   bool     `json:"kept,omitempty"`  // the weights of this epoch are the model's
}

// Values are true and predicted values of one target. All rows count in the figures.
type Values struct {
	Target    string    `json:"target"`
	Truth     []float64 `json:"truth"`
	Predicted []float64 `json:"predicted"`
}

// A Sentence is words with the spans that are in it and those that were predicted.
type Sentence struct {
	Words     []string `json:"words"`
	Truth     []Span   `json:"truth"`
	Predicted []Span   `json:"predicted"`
}

// A Span is words From up to and without To.
type Span struct {
	From int    `json:"from"`
	To   int    `json:"to"`
	Kind string `json:"kind"`
}

// A Mistake is a held-out row with a wrong answer.
type Mistake struct {
	ID         string  `json:"id"`
	Text       string  `json:"text,omitempty"`
	Picture    []byte  `json:"picture,omitempty"` // a small JPEG or PNG
	Truth      string  `json:"truth"`
	Predicted  string  `json:"predicted"`
	Confidence float64 `json:"confidence,omitempty"` // probability of what was predicted; 0: none is known
}

// A Projection is features of held-out rows in the plane.
type Projection struct {
	Method    string     `json:"method"` // "PCA"
	Points    []Place    `json:"points"`
	Explained [2]float64 `json:"explained"` // share of the variance along each axis
	Of        int        `json:"of"`        // rows the points were drawn from
}

// A Place is a row's place in a projection.
type Place struct {
	X     float64 `json:"x"`
	Y     float64 `json:"y"`
	Class int     `json:"class"`           // index into Labels; -1: none
	Value float64 `json:"value,omitempty"` // where there are no classes, 0 to 1
	Wrong bool    `json:"wrong,omitempty"`
}

// A Timing is how long a stage took.
type Timing struct {
	Stage   string  `json:"stage"`
	Seconds float64 `json:"seconds"`
}

// Facts are a heading and what is said under it.
type Facts struct {
	Heading string `json:"heading"`
	Facts   []Fact `json:"facts"`
}

// A Fact is a name and what it is.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Code  bool   `json:"code,omitempty"` // to be set as typed
}
