// Package optim holds first-order optimizers that update weights in place: AdamW and SGD, with learning-rate schedules,
// clipping by global norm and a running average of the weights. All are deterministic: the same gradients give the same
// weights to the last bit, whatever the number of cores.
package optim

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
)

// A Param is one trainable tensor as a flat list of numbers, and how it is trained.
type Param struct {
	Name   string
	Value  []float32
	Scale  float64 // multiplies the learning rate; 0 is 1
	Decays bool    // whether weight decay applies; biases and normalisation weights usually have none
}

// scale returns the factor of the learning rate.
func (p Param) scale() float64 {
	if p.Scale == 0 {
		return 1
	}
	return p.Scale
}

// An Optimizer updates parameters from their gradients. The parameters of one Optimizer are the same, in the same order, at
// every step. It is for one goroutine; the work within a step is divided among cores.
type Optimizer interface {
	// Step updates each parameter's Value with learning rate lr; grads[i] is the gradient of params[i], and counts by times:
	// what [Clip] returned, or 1.
	Step(params []Param, grads []Gradient, lr, by float64) error
	// State returns what must be kept to go on later: named lists of numbers that alias the optimizer's own. SetState
	// takes a copy of it back.
	State() map[string][]float32
	SetState(state map[string][]float32) error
}

// check tells whether the gradients fit the parameters.
func check(params []Param, grads []Gradient) error {
	if len(params) != len(grads) {
		return fmt.Errorf("optim: %d gradients for %d parameters", len(grads), len(params))
	}
	for i, p := range params {
		if n := len(grads[i].Data); n != len(p.Value) {
			return fmt.Errorf("optim: parameter %q has %d numbers, its gradient %d", p.Name, len(p.Value), n)
		}
	}
	return nil
}

// block is how many numbers are worked on at a time: small enough to stay in a core's cache.
const block = 1 << 14

// A span is a part of one list, at most a block long.
type span struct{ list, from, to int }

// spans cuts the numbers of gradients into blocks; of those that have rows, only the rows.
func spans(grads []Gradient) []span {
	var all []span
	for i, g := range grads {
		if g.Width > 0 {
			for _, r := range g.Rows {
				all = append(all, span{i, r * g.Width, (r + 1) * g.Width})
			}
			continue
		}
		all = append(all, blocks(i, len(g.Data), block)...)
	}
	return all
}

// allSpans cuts all numbers of parameters into blocks.
func allSpans(params []Param) []span {
	var all []span
	for i, p := range params {
		all = append(all, blocks(i, len(p.Value), block)...)
	}
	return all
}

// blocks cuts the n numbers of one list.
func blocks(list, n, size int) []span {
	var all []span
	for from := 0; from < n; from += size {
		all = append(all, span{list, from, min(from+size, n)})
	}
	return all
}

// parallel calls f for each span, on as many cores as there are.
func parallel(all []span, f func(i int, s span)) {
	workers := min(runtime.GOMAXPROCS(0), len(all))
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(all); i += workers {
				f(i, all[i])
			}
		})
	}
	wg.Wait()
}

// moments are lists of the parameters' lengths that an optimizer carries from step to step, all zero at first.
func moments(params []Param) [][]float32 {
	m := make([][]float32, len(params))
	for i, p := range params {
		m[i] = make([]float32, len(p.Value))
	}
	return m
}

// restore copies saved lists named prefix/0, prefix/1, … and returns how many there are.
func restore(state map[string][]float32, prefix string) [][]float32 {
	var lists [][]float32
	for i := 0; ; i++ {
		saved, ok := state[fmt.Sprintf("%s/%d", prefix, i)]
		if !ok {
			return lists
		}
		lists = append(lists, slices.Clone(saved))
	}
}

// keep names lists prefix/0, prefix/1, ….
func keep(state map[string][]float32, prefix string, lists [][]float32) {
	for i, l := range lists {
		state[fmt.Sprintf("%s/%d", prefix, i)] = l
	}
}

// A Kind names an optimizer.
type Kind string

const (
	KindAdamW Kind = "adamw" // [AdamW]
	KindSGD   Kind = "sgd"   // [SGD] with Nesterov's momentum of 0.9
)

// ParseKind returns the optimizer of that name; empty is AdamW.
func ParseKind(name string) (Kind, error) {
	switch k := Kind(name); k {
	case "":
		return KindAdamW, nil
	case KindAdamW, KindSGD:
		return k, nil
	}
	return "", fmt.Errorf("optim: optimizer %q is none of adamw, sgd", name)
}

// New returns an optimizer that has made no step.
func (k Kind) New(weightDecay float64) Optimizer {
	if k == KindSGD {
		return &SGD{Momentum: 0.9, Nesterov: true, WeightDecay: weightDecay}
	}
	return &AdamW{WeightDecay: weightDecay}
}
