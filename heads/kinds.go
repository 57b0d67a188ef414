package heads

import "slices"

// A Kind names a kind of head, as flags and records do.
type Kind string

const (
	KindLogistic   Kind = "logistic"   // [Logistic]; of labels [MultiLabelLogistic]
	KindMultiLabel Kind = "multilabel" // [MultiLabelLogistic]
	KindRidge      Kind = "ridge"      // [Ridge]; of classes [RidgeClassifier]
	KindSVM        Kind = "svm"        // [LinearSVM]
	KindCentroid   Kind = "centroid"   // [Centroid]
	KindKNN        Kind = "knn"        // [KNN]
	KindMLP        Kind = "mlp"        // [MLP]
)

// Options are what the kinds of heads can be told. Zero is a head's own default; what a kind has no use for must be zero.
type Options struct {
	C           float64     // logistic, multilabel, svm, ridge, whose α is 1/(2C): how much the data counts beside the penalty
	ClassWeight ClassWeight // logistic, multilabel (Balanced only), ridge of classes, svm, mlp of classes
	Smoothing   float64     // logistic of classes, mlp of classes: label smoothing
	Neighbours  int         // knn
	Metric      Metric      // centroid, knn
	Scale       float64     // ridge of classes, svm: what logits are multiplied by
	Hidden      []int       // mlp
	Dropout     float64     // mlp
	Tol         float64     // logistic, multilabel, svm; of a Path of ridge 1e-3 or more means that a few digits are enough
	MaxIter     int         // logistic, multilabel, svm
	Seed        uint64      // mlp
}

// A kindRow says what a kind of head is.
type kindRow struct {
	kind  Kind
	takes []string // the options it can be told, as Options.given names them
	tasks map[Task]func(o Options) Head
}

// kinds is the table of heads, simplest first: of heads that do equally well the first is preferred. Among the linear
// ones that is Logistic, whose logits are log-probabilities.
var kinds = []kindRow{
	{KindCentroid, []string{"Metric"}, map[Task]func(Options) Head{
		Classification: func(o Options) Head { return &Centroid{Metric: o.Metric} },
	}},
	{KindLogistic, []string{"C", "ClassWeight", "Smoothing"}, map[Task]func(Options) Head{
		Classification: func(o Options) Head {
			return &Logistic{C: o.C, ClassWeight: o.ClassWeight, Smoothing: o.Smoothing, Tol: o.Tol, MaxIter: o.MaxIter}
		},
		MultiLabel: newMultiLabel,
	}},
	{KindMultiLabel, []string{"C", "ClassWeight"}, map[Task]func(Options) Head{MultiLabel: newMultiLabel}},
	{KindRidge, []string{"C", "ClassWeight", "Scale"}, map[Task]func(Options) Head{
		Classification: func(o Options) Head {
			return &RidgeClassifier{Alpha: alphaOf(o.C), ClassWeight: o.ClassWeight, Scale: o.Scale}
		},
		Regression: func(o Options) Head { return &Ridge{Alpha: alphaOf(o.C)} },
	}},
	{KindSVM, []string{"C", "ClassWeight", "Scale"}, map[Task]func(Options) Head{
		Classification: func(o Options) Head {
			return &LinearSVM{C: o.C, ClassWeight: o.ClassWeight, Tol: o.Tol, MaxIter: o.MaxIter, Scale: o.Scale}
		},
	}},
	{KindKNN, []string{"Neighbours", "Metric"}, map[Task]func(Options) Head{Classification: newKNN, MultiLabel: newKNN, Regression: newKNN}},
	{KindMLP, []string{"ClassWeight", "Smoothing", "Hidden", "Dropout"}, map[Task]func(Options) Head{
		Classification: newMLP, MultiLabel: newMLP, Regression: newMLP,
	}},
}

func newMultiLabel(o Options) Head {
	return &MultiLabelLogistic{C: o.C, Balanced: o.ClassWeight.Balanced, Tol: o.Tol, MaxIter: o.MaxIter}
}

func newKNN(o Options) Head { return &KNN{K: o.Neighbours, Metric: o.Metric} }

func newMLP(o Options) Head {
	return &MLP{Hidden: o.Hidden, Dropout: o.Dropout, ClassWeight: o.ClassWeight, Smoothing: o.Smoothing, Seed: o.Seed}
}

// alphaOf is the α at which ½‖W‖² + C Σ error² and Σ error² + α‖W‖² have the same minimum; 0 for 0.
func alphaOf(c float64) float64 {
	if c == 0 {
		return 0
	}
	return 1 / (2 * c)
}

// Kinds lists the kinds of heads that can be fitted for a task, simplest first.
func Kinds(task Task) []Kind {
	var names []Kind
	for _, k := range kinds {
		if k.tasks[task] != nil && !(task == MultiLabel && k.kind == KindLogistic) {
			names = append(names, k.kind)
		}
	}
	return names
}

// New returns a head of a kind for a task. It returns a [SettingError] where there is no such kind, where the kind cannot
// do the task, and where an option is set that means nothing to it.
func New(kind Kind, task Task, o Options) (Head, error) {
	at := slices.IndexFunc(kinds, func(k kindRow) bool { return k.kind == kind })
	if at < 0 || kinds[at].tasks[task] == nil {
		return nil, &SettingError{Field: "Kind", Value: string(kind), Want: "for " + string(task) + " one of " + list(Kinds(task))}
	}
	for _, given := range o.given() {
		useless := !slices.Contains(kinds[at].takes, given.name) || task != Classification && (given.name == "Smoothing" || given.name == "Scale") ||
			given.name == "ClassWeight" && (task == Regression || task == MultiLabel && (kind == KindMLP || !o.ClassWeight.Balanced))
		if useless {
			return nil, &SettingError{Field: "Options." + given.name, Value: given.value, Want: "nothing: " + string(kind) + " for " + string(task) + " has no use for it"}
		}
	}
	return kinds[at].tasks[task](o), nil
}

type givenOption struct {
	name  string
	value any
}

// given lists the options that are set and change what is learned.
func (o Options) given() (given []givenOption) {
	for _, f := range []struct {
		set bool
		givenOption
	}{
		{o.C != 0, givenOption{"C", o.C}},
		{o.ClassWeight.Balanced || len(o.ClassWeight.Of) > 0, givenOption{"ClassWeight", o.ClassWeight.String()}},
		{o.Smoothing != 0, givenOption{"Smoothing", o.Smoothing}},
		{o.Neighbours != 0, givenOption{"Neighbours", o.Neighbours}},
		{o.Metric != "", givenOption{"Metric", string(o.Metric)}},
		{o.Scale != 0, givenOption{"Scale", o.Scale}},
		{len(o.Hidden) > 0, givenOption{"Hidden", o.Hidden}},
		{o.Dropout != 0, givenOption{"Dropout", o.Dropout}},
	} {
		if f.set {
			given = append(given, f.givenOption)
		}
	}
	return given
}

func list(names []Kind) string {
	s := ""
	for i, n := range names {
		if i > 0 {
			s += ", "
		}
		s += string(n)
	}
	return s
}
