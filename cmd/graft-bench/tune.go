package main

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
)

// A lesson is one training whose steps are compared.
type lesson struct {
	work      string
	unfreeze  string
	trainable []string // prefixes of PyTorch's names for the same weights
	rank      int      // of LoRA
	most      float64  // of PyTorch's step time; 0: no goal
	picture   bool
	// usual compares epochs as either side is used to them: graft with batches of similar length, PyTorch with batches in
	// random order, padded to their longest. Otherwise both have the same batches, of one length.
	usual bool
}

// lessons are what is compared. The goals are those of time; of memory it is three quarters for all.
var lessons = []lesson{
	{work: "MiniLM-L6, all weights", unfreeze: "all", trainable: []string{""}, most: 1},
	{work: "MiniLM-L6, top 2 layers, frozen layers cached", unfreeze: "top:2", trainable: []string{"bert.encoder.layer.4.", "bert.encoder.layer.5."}, most: 0.33},
	{work: "MiniLM-L6, top 2 layers, an epoch of sst2 rows, batched as each side does", unfreeze: "top:2", trainable: []string{"bert.encoder.layer.4.", "bert.encoder.layer.5."}, usual: true},
	{work: "MiniLM-L6, LoRA rank 8", unfreeze: "all", trainable: []string{""}, rank: 8, most: 1},
	{work: "ResNet-18 (to layer3), last stage, frozen layers cached", unfreeze: "top:1", trainable: []string{"b.4.", "b.5."}, most: 0.9, picture: true},
}

const memoryGoal = 0.75 // of PyTorch's peak

// benchTune measures training steps and their peak memory, each side in a process of its own.
func benchTune(ctx context.Context, b *bench) (report, error) {
	var out report
	out.environment = map[string]string{}
	for _, l := range lessons {
		if !b.wanted(l.work) {
			continue
		}
		b.say(" %s", l.work)
		rows, environment, err := b.lesson(ctx, l)
		if err != nil {
			return out, fmt.Errorf("%s: %w", l.work, err)
		}
		out.rows = append(out.rows, rows...)
		maps.Copy(out.environment, environment)
	}
	return out, nil
}

// lesson measures one training: rounds of some steps each, taking turns.
func (b *bench) lesson(ctx context.Context, l lesson) ([]row, map[string]string, error) {
	perRound, rounds, tokens := 4, b.times(6), 64
	dir, err := os.MkdirTemp("", "graft-bench-*")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	examples, about := b.size(256, 64), "batches of 16 texts of 64 tokens"
	if l.picture {
		examples, about = b.size(128, 32), "batches of 16 pictures of 224×224"
	}
	if l.usual {
		examples, tokens, rounds, about = b.size(512, 64), 0, b.times(3), "batches of 16; graft's have texts of similar length, PyTorch's are drawn at random and padded to their longest"
		perRound = examples / 16
	}
	job, err := b.prepare(l, dir, examples, 16, tokens)
	if err != nil {
		return nil, nil, err
	}
	job.Steps = 1 + rounds*perRound
	pair, err := b.startPair(ctx, job)
	if err != nil {
		return nil, nil, err
	}
	defer pair.close()
	for _, p := range pair.both() {
		if err := p.call("reset", nil, nil); err != nil {
			return nil, nil, err
		}
	}
	var mine, theirs []float64 // milliseconds a step, by round
	for round := range rounds {
		g, p, err := pair.steps(perRound, l.batches(round, examples))
		if err != nil {
			return nil, nil, err
		}
		mine, theirs = append(mine, mean(g.Seconds)*1e3), append(theirs, mean(p.Seconds)*1e3)
		b.say("  round %d of %d: a step takes graft %.0f ms (%.0f of all cores), PyTorch %.0f ms (%.0f)",
			round+1, rounds, mine[round], g.CPU/float64(perRound)*1e3, theirs[round], p.CPU/float64(perRound)*1e3)
	}
	var memory [2]struct {
		MB float64 `json:"mb"`
	}
	for i, p := range pair.both() {
		if err := p.call("memory", nil, &memory[i]); err != nil {
			return nil, nil, err
		}
	}
	note := fmt.Sprintf("%s; %d numbers trained; AdamW, clipping", about, pair.trained)
	if pair.frozen > 0 {
		steps := float64((examples + 15) / 16)
		note += fmt.Sprintf("; epochs after the frozen layers have run, which took %.1f s once, %.2f of an epoch of PyTorch's", pair.frozen, pair.frozen/(steps*median(theirs)/1e3))
	}
	graftMB, torchMB := []float64{memory[0].MB}, []float64{memory[1].MB}
	took := compare(l.work+": a step", "ms", mine, "PyTorch", theirs, ratios(mine, theirs), "of its time", nil, note)
	if l.most > 0 {
		took.Goal = atMost(l.most)
	}
	used := compare(l.work+": peak memory", "MB", graftMB, "PyTorch", torchMB, ratios(graftMB, torchMB), "of its memory", atMost(memoryGoal), "resident, of the whole process, while training")
	return []row{took, used}, pair.versions, nil
}

// batches are PyTorch's own of an epoch, in random order; nil where it takes graft's.
func (l lesson) batches(epoch, examples int) [][]int {
	if !l.usual {
		return nil
	}
	return slices.Collect(slices.Chunk(rand.New(rand.NewPCG(4, uint64(epoch))).Perm(examples), 16))
}

func mean(values []float64) float64 {
	var sum float64
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func median(values []float64) float64 { return spreadOf(values).Median }

// A pair is one training under way on both sides.
type pair struct {
	graft    *peer
	torch    *pythonPeer
	trained  int
	frozen   float64
	versions map[string]string
	first    [2]float64 // losses of the step that loading makes
}

func (p *pair) both() []*peer { return []*peer{p.graft, p.torch.peer} }

func (p *pair) close() {
	p.graft.close()
	p.torch.close()
}

// startPair loads both sides, each of which makes one step; the losses before anything has changed must agree.
func (b *bench) startPair(ctx context.Context, job training) (*pair, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	graft, err := startPeer(ctx, "graft", threadEnv(b.threads), self, serveCommand)
	if err != nil {
		return nil, err
	}
	torch, err := b.startPython(ctx, "PyTorch", "tune")
	if err != nil {
		graft.close()
		return nil, err
	}
	p := &pair{graft: graft, torch: torch}
	if err := p.load(job); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *pair) load(job training) error {
	var mine, theirs loaded
	if err := p.graft.call("load", job, &mine); err != nil {
		return err
	}
	args := struct {
		training
		Rows [][]int `json:"rows"`
	}{job, mine.Rows}
	if err := p.torch.call("load", args, &theirs); err != nil {
		return err
	}
	p.trained, p.frozen, p.versions = theirs.Trained, mine.Frozen, theirs.Versions
	p.first = [2]float64{mine.Losses[0], theirs.Losses[0]}
	if d := apart(p.first[0], p.first[1]); !(d <= 1e-5) {
		return fmt.Errorf("the networks are not the same: the first losses are %g and %g", p.first[0], p.first[1])
	}
	return nil
}

// steps makes n steps on either side, PyTorch's on graft's batches where it is given none of its own.
func (p *pair) steps(n int, own [][]int) (graft, torch stepped, err error) {
	if err := p.graft.call("steps", map[string]int{"n": n}, &graft); err != nil {
		return graft, torch, err
	}
	if own == nil {
		own = graft.Rows
	}
	return graft, torch, p.torch.call("steps", map[string]any{"rows": own}, &torch)
}

// apart is the relative difference of two numbers.
func apart(a, b float64) float64 { return math.Abs(a-b) / math.Max(math.Abs(b), 1e-30) }
