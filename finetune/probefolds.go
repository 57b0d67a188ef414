package finetune

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/onnx-graft/graft/heads"
)

// How rows are divided to choose by.
const (
	foldsBelow   = 2000    // rows from which tenths are held out in place of cross-validation
	tenths       = 10      // parts of a hold-out
	heldEnough   = 1000    // so many rows held out, in several tenths if need be, are enough
	choosingRows = 100000  // rows that take part in the choice at most
	choosingSize = 1 << 26 // and their numbers
)

// A fold is rows to fit on and rows to score.
type fold struct {
	x     heads.Matrix
	y     heads.Targets
	heldX heads.Matrix
	heldY heads.Targets
	units []int // of the held rows: numbers of their groups
}

// folds divides the rows for a choice, and says how.
func (s ProbeSettings) folds(x heads.Matrix, y heads.Targets) (folds []fold, by string, err error) {
	if enoughToChoose(s.ValidationY) {
		return []fold{{x, y, s.ValidationX, s.ValidationY, allIndices(s.ValidationX.Rows)}}, ChosenByValidation, nil
	}
	if s.ValidationX.Rows > 0 {
		orQuiet(s.Progress).Warn(fmt.Sprintf("%d validation rows are too few to choose by (200, and 10 a class, would do): the head is chosen by cross-validation", s.ValidationX.Rows))
	}
	if s.Folds < 0 || s.Folds == 1 {
		return nil, "", fmt.Errorf("ProbeSettings.Folds is %d, want 2 or more", s.Folds)
	}
	if s.Groups != nil && len(s.Groups) != x.Rows {
		return nil, "", fmt.Errorf("ProbeSettings.Groups has %d numbers for %d rows", len(s.Groups), x.Rows)
	}
	by = ChosenByFolds
	n, enough := cmp.Or(s.Folds, 5), x.Rows
	if s.Folds == 0 && x.Rows >= foldsBelow {
		by, n, enough = ChosenByHoldOut, tenths, heldEnough
	}
	parts := s.parts(x, y, n)
	held := 0
	for i, rows := range parts {
		if held >= enough {
			break
		}
		held += len(rows)
		var stay []int
		for k, others := range parts {
			if k != i {
				stay = append(stay, others...)
			}
		}
		slices.Sort(stay)
		f := fold{x.Subset(stay), y.Subset(stay), x.Subset(rows), y.Subset(rows), rows}
		if s.Groups != nil {
			f.units = make([]int, len(rows))
			for k, r := range rows {
				f.units[k] = s.Groups[r]
			}
		}
		if learnable(f.y) {
			folds = append(folds, f)
		}
	}
	return folds, by, nil
}

// enoughToChoose tells whether validation rows choose better than cross-validation.
func enoughToChoose(y heads.Targets) bool {
	if y.Rows() < 200 {
		return false
	}
	count := make([]int, y.Classes)
	for _, k := range y.Class {
		count[k]++
	}
	return len(count) == 0 || slices.Min(count) >= 10
}

// learnable tells whether there is more than one class.
func learnable(y heads.Targets) bool {
	if y.Task() != heads.Classification {
		return y.Rows() > 0
	}
	for i, k := range y.Class {
		if k != y.Class[0] && (y.Weights == nil || y.Weights[i] > 0) {
			return true
		}
	}
	return false
}

// deal deals the rows of each class, shuffled by seed, to n parts in turn, and goes on with the next class where it
// stopped. Rows of a group go together, with the class of their first. Without groups parts differ by one row at most, and none
// is empty where there are n rows. The rows of a part are in order.
func deal(y heads.Targets, groups []int, n int, seed uint64) [][]int {
	var units [][]int // rows that stay together
	at := map[int]int{}
	for i := range y.Rows() {
		if groups == nil {
			units = append(units, []int{i})
		} else if u, ok := at[groups[i]]; ok {
			units[u] = append(units[u], i)
		} else {
			at[groups[i]] = len(units)
			units = append(units, []int{i})
		}
	}
	members := make([][]int, max(1, y.Classes))
	for u, rows := range units {
		k := 0
		if y.Task() == heads.Classification {
			k = y.Class[rows[0]]
		}
		members[k] = append(members[k], u)
	}
	rng := rand.New(rand.NewPCG(seed, 0x666f6c6473))
	parts := make([][]int, max(1, min(n, len(units))))
	next := 0
	for _, of := range members {
		rng.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
		for _, u := range of {
			parts[next%len(parts)] = append(parts[next%len(parts)], units[u]...)
			next++
		}
	}
	for _, rows := range parts {
		slices.Sort(rows)
	}
	return parts
}

// parts deals the rows to n parts: all of them, or of very many every so-manieth, or the rows of every so-manieth group.
func (s ProbeSettings) parts(x heads.Matrix, y heads.Targets, n int) [][]int {
	most := min(choosingRows, max(foldsBelow, choosingSize/x.Cols))
	stride := (x.Rows + most - 1) / most
	if stride <= 1 {
		return deal(y, s.Groups, n, s.Seed)
	}
	var few, groups []int
	for i := range x.Rows {
		if s.Groups == nil && i%stride == 0 || s.Groups != nil && s.Groups[i]%stride == 0 {
			few = append(few, i)
		}
	}
	if s.Groups != nil {
		groups = make([]int, len(few))
		for i, r := range few {
			groups[i] = s.Groups[r]
		}
	}
	parts := deal(y.Subset(few), groups, n, s.Seed)
	for _, rows := range parts {
		for i, r := range rows {
			rows[i] = few[r]
		}
	}
	return parts
}
