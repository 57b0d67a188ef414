package finetune

// A Stage is a step of the way, as [Progress] is told of it and as timings are keyed.
type Stage string

const (
	Extracting Stage = "extract"
	Probing    Stage = "probe"
	Evaluating Stage = "evaluate"
	Exporting  Stage = "export"
	Verifying  Stage = "verify"
)

// Progress is told how the work goes. Its methods may be called by several goroutines at once. A nil Progress is silence.
type Progress interface {
	Start(stage Stage, total int) // a stage of that many steps begins, and the one before has ended; 0: not known
	Add(n int)                    // n more steps of the stage are done
	Warn(text string)             // something people should know, that stops nothing; one sentence
}

// quiet is the Progress of nobody.
type quiet struct{}

func (quiet) Start(Stage, int) {}
func (quiet) Add(int)          {}
func (quiet) Warn(string)      {}

func orQuiet(p Progress) Progress {
	if p == nil {
		return quiet{}
	}
	return p
}
