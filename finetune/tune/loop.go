package tune

import (
	"context"
	"errors"
	"slices"
)

// A loop runs the epochs of a trainer.
type loop struct {
	*trainer
	state
	best  [][]float32 // the weights of epoch Best; nil without validation, when the last are the best
	store *store      // of checkpoints; nil where none are written
	found *checkpoint // the last one; nil: there is none
}

// state is where a run stands, beside its weights.
type state struct {
	Step    int         `json:"step"`   // steps made
	Epoch   int         `json:"epoch"`  // the one that is under way, from 1
	Within  int         `json:"within"` // steps made of it
	Sum     float64     `json:"sum"`    // of their losses
	History []Epoch     `json:"history"`
	Best    int         `json:"best"`
	Top     *float64    `json:"top,omitempty"` // score of epoch Best
	Rate    float64     `json:"rate"`          // the peak learning rate
	Rates   []RatePoint `json:"rates,omitempty"`
	Done    bool        `json:"done"`
}

// run trains from the beginning, or from a checkpoint, to the end.
func (l *loop) run(ctx context.Context) (*Result, error) {
	resumed := 0
	if l.found != nil {
		if err := l.restore(l.found); err != nil {
			return nil, err
		}
		resumed = l.Step
	} else if err := l.start(ctx); err != nil {
		return nil, err
	}
	err := l.epochs(ctx)
	var gone *DivergedError
	switch {
	case err == nil:
		err = l.checkpoint()
	case errors.As(err, &gone) && l.best != nil:
		r, back := l.result(resumed)
		return r, errors.Join(err, back)
	case ctx.Err() != nil:
		return nil, errors.Join(err, l.checkpoint())
	}
	if err != nil {
		return nil, err
	}
	return l.result(resumed)
}

// start judges the weights a run begins with, and chooses the rate.
func (l *loop) start(ctx context.Context) error {
	l.state = state{Epoch: 1, Rate: l.s.LearningRate, History: []Epoch{}}
	if l.s.FindRate {
		var err error
		if l.Rate, l.Rates, err = l.findRate(ctx); err != nil {
			return err
		}
	}
	if len(l.p.Validation) == 0 {
		return nil
	}
	score, err := l.score(ctx)
	if err != nil {
		return err
	}
	l.Top, l.best = &score, l.weights()
	l.History = append(l.History, Epoch{Score: &score})
	return nil
}

// epochs makes the steps that are left.
func (l *loop) epochs(ctx context.Context) error {
	total := l.perEpoch() * l.s.Epochs
	for !l.Done {
		steps := slices.Collect(slices.Chunk(l.batches.epoch(l.p.Train, l.Epoch), l.s.Accumulate))
		for l.Within < len(steps) {
			rate := l.Rate * l.s.Schedule.At(l.Step, int(l.s.Warmup*float64(total)), total)
			loss, norm, err := l.step(ctx, steps[l.Within], l.view(l.Epoch), l.Step, rate)
			if err != nil {
				return err
			}
			l.Sum += loss
			l.Step, l.Within = l.Step+1, l.Within+1
			l.report(Step{Stage: Training, Done: l.Step, Of: total, Epoch: l.Epoch, Loss: loss, Norm: norm})
			if l.due() {
				if err := l.checkpoint(); err != nil {
					return err
				}
			}
		}
		if err := l.endEpoch(ctx); err != nil {
			return err
		}
	}
	return nil
}

// perEpoch is how many steps an epoch has.
func (l *loop) perEpoch() int {
	batches := (len(l.p.Train) + l.s.BatchSize - 1) / l.s.BatchSize
	return (batches + l.s.Accumulate - 1) / l.s.Accumulate
}

// endEpoch judges an epoch and goes to the next.
func (l *loop) endEpoch(ctx context.Context) error {
	mean := l.Sum / float64(max(l.Within, 1))
	e := Epoch{Number: l.Epoch, Loss: &mean}
	if len(l.p.Validation) > 0 {
		score, err := l.score(ctx)
		if err != nil {
			return err
		}
		e.Score = &score
	}
	l.History = append(l.History, e)
	switch {
	case e.Score == nil:
		l.Best = l.Epoch
	case *e.Score > *l.Top:
		l.Best, l.Top = l.Epoch, e.Score
		for i, data := range l.judged() {
			copy(l.best[i], data)
		}
	}
	l.Done = l.Epoch == l.s.Epochs || l.s.Patience > 0 && l.Epoch-l.Best >= l.s.Patience
	l.Epoch, l.Within, l.Sum = l.Epoch+1, 0, 0
	return nil
}

// result puts the best weights into the backbone.
func (l *loop) result(resumed int) (*Result, error) {
	r := &Result{History: l.History, Best: l.Best, Settings: l.s, Rates: l.Rates, Resumed: resumed}
	r.Settings.LearningRate = l.Rate
	if l.best == nil {
		l.best = l.judged()
	}
	l.setWeights(l.best)
	for _, w := range l.net.weights {
		r.Trained += len(w.data)
	}
	return r, l.net.writeBack(l.p.Model, r)
}
