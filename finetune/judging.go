package finetune

// JudgeSettings say what is asked of a run beyond its figures, and how its answers follow from its logits. The zero value
// asks nothing.
type JudgeSettings struct {
	LearningCurve bool // whether more labels would help: see [Learn]
}
