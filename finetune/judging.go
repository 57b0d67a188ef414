package finetune

// JudgeSettings say what is asked of a run beyond its figures, and how its answers follow from its logits: see [Decision]. The
// zero value asks nothing. What is chosen is chosen on validation rows where there are 200, and 10 of each class, else on
// training rows by cross-validation; never on test rows.
type JudgeSettings struct {
	LearningCurve bool    // whether more labels would help: see [Learn]
	Calibrate     bool    // logits are divided by the temperature that makes their probabilities truest (Guo et al. 2017)
	Threshold     float64 // above which probability the second of two classes is the answer, or a label; 0: 0.5
	AutoThreshold bool    // Threshold is chosen for the largest F1, of label sets for each label
	Abstain       float64 // answers are withheld so that the others are right this often; 0: none are
}
