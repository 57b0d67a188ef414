package tune

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/onnx-graft/graft/onnx/storage"
)

// Checkpoints say where a run leaves what it needs to go on after it was stopped: weights, optimizer, place in the order of
// examples, best weights, history. Each is a folder that appears whole or not at all. A run that ended leaves its last one
// until [RemoveCheckpoints].
type Checkpoints struct {
	Dir    string // "": none are written
	Every  int    // steps from one to the next; 0: one at the end of each epoch
	Keep   int    // how many stay, the newest ones; 0 is 2
	Resume bool   // go on from the newest; where there is none, begin anew
}

// Names within a checkpoint.
const (
	stepPrefix = "step-"
	stateName  = "state.json"
	listsName  = "state.safetensors"
)

// A checkpoint is where a run stood, as state.json has it.
type checkpoint struct {
	dir   string
	State state             `json:"state"`
	Of    map[string]string `json:"run"`      // what identifies the run
	Sum   uint32            `json:"checksum"` // of the numbers in state.safetensors
}

// A store writes the checkpoints of one run.
type store struct {
	Checkpoints
	identity map[string]string
}

// lookForCheckpoint opens the store and, on request, finds what to go on from.
func (l *loop) lookForCheckpoint() error {
	c := l.s.Checkpoints
	if c.Dir == "" {
		return nil
	}
	if c.Keep == 0 {
		c.Keep = 2
	}
	if c.Every == 0 {
		c.Every = l.perEpoch()
	}
	if c.Keep < 0 || c.Every < 0 {
		return fmt.Errorf("tune: a checkpoint every %d steps, %d of them kept: want numbers above 0", c.Every, c.Keep)
	}
	if err := c.Check(); err != nil {
		return err
	}
	steps, err := saved(c.Dir)
	if err != nil {
		return err
	}
	identity, err := l.identity()
	if err != nil {
		return err
	}
	l.store = &store{Checkpoints: c, identity: identity}
	for _, name := range steps {
		found, failed := readState(filepath.Join(c.Dir, name))
		if failed != nil {
			err = failed
			continue
		}
		if differ := differences(found.Of, identity); len(differ) > 0 {
			return &MismatchError{Dir: c.Dir, Differences: differ}
		}
		l.found = found
		return nil
	}
	return err
}

// Check tells, before anything slow, whether a run may begin: an [UnfinishedError] says that it would run over another's
// checkpoints.
func (c Checkpoints) Check() error {
	if c.Dir == "" || c.Resume {
		return nil
	}
	steps, err := saved(c.Dir)
	if err == nil && len(steps) > 0 {
		err = &UnfinishedError{Dir: c.Dir, Step: stepOf(steps[0])}
	}
	return err
}

// saved names the checkpoints in dir, newest first.
func saved(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("tune: checkpoints: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), stepPrefix) && stepOf(e.Name()) >= 0 {
			names = append(names, e.Name())
		}
	}
	slices.SortFunc(names, func(a, b string) int { return stepOf(b) - stepOf(a) })
	return names, nil
}

// stepOf reads the step from a checkpoint's name; −1 where it is none's.
func stepOf(name string) int {
	var step int
	if _, err := fmt.Sscanf(name, stepPrefix+"%d", &step); err != nil {
		return -1
	}
	return step
}

// due tells whether a checkpoint is to be written now.
func (l *loop) due() bool { return l.store != nil && l.Step%l.store.Every == 0 }

// checkpoint writes where the run stands, unless it was written already, and removes the oldest.
func (l *loop) checkpoint() error {
	if l.store == nil || l.found != nil && l.found.State.Step == l.Step && l.found.State.Done == l.Done {
		return nil
	}
	dir := filepath.Join(l.store.Dir, fmt.Sprintf("%s%08d", stepPrefix, l.Step))
	c := &checkpoint{dir: dir, State: l.state, Of: l.store.identity}
	if err := c.write(l.lists()); err != nil {
		have := "there is no older one"
		if l.found != nil {
			have = fmt.Sprintf("that of step %d is whole, so the run can be resumed from there", l.found.State.Step)
		}
		return fmt.Errorf("tune: checkpoint of step %d: %w; %s", l.Step, err, have)
	}
	l.found = c
	return l.store.trim()
}

// lists are all numbers of a run: weights, best weights, their mean, and the optimizer's.
func (l *loop) lists() []namedList {
	var all []namedList
	for i, w := range l.net.weights {
		name := w.tensor.Name
		all = append(all, namedList{"weight/" + name, w.data})
		if l.best != nil {
			all = append(all, namedList{"best/" + name, l.best[i]})
		}
		if l.average != nil {
			all = append(all, namedList{"average/" + name, l.average[i]})
		}
	}
	kept := l.optimizer.State()
	for _, name := range slices.Sorted(maps.Keys(kept)) {
		all = append(all, namedList{"optimizer/" + name, kept[name]})
	}
	return all
}

// write makes the folder.
func (c *checkpoint) write(lists []namedList) error {
	folder, err := storage.NewFolder(c.dir)
	if err != nil {
		return err
	}
	defer folder.Abort()
	if c.Sum, err = writeLists(filepath.Join(folder.Path(), listsName), lists); err != nil {
		return err
	}
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder.Path(), stateName), append(text, '\n'), 0o666); err != nil {
		return err
	}
	return folder.Commit()
}

// readState reads a checkpoint without its numbers.
func readState(dir string) (*checkpoint, error) {
	text, err := os.ReadFile(filepath.Join(dir, stateName))
	if err != nil {
		return nil, fmt.Errorf("tune: checkpoint: %w", err)
	}
	c := &checkpoint{dir: dir}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("tune: checkpoint %s: %s: %w", dir, stateName, err)
	}
	return c, nil
}

// trim removes all but the newest checkpoints.
func (s *store) trim() error { return removeOld(s.Dir, s.Keep) }

// removeOld removes all but so many of the newest checkpoints in dir, and what a killed run left half-written.
func removeOld(dir string, keep int) error {
	names, err := saved(dir)
	if err != nil {
		return err
	}
	names = names[min(keep, len(names)):]
	left, err := filepath.Glob(filepath.Join(dir, "."+stepPrefix+"*"))
	if err != nil {
		return fmt.Errorf("tune: checkpoints: %w", err)
	}
	for _, path := range left {
		names = append(names, filepath.Base(path))
	}
	for _, name := range names {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("tune: checkpoints: %w", err)
		}
	}
	return nil
}

// restore puts a checkpoint's numbers in place.
func (l *loop) restore(c *checkpoint) error {
	lists, sum, err := readLists(filepath.Join(c.dir, listsName))
	if err != nil {
		return fmt.Errorf("tune: checkpoint: %w", err)
	}
	if sum != c.Sum {
		return fmt.Errorf("tune: checkpoint %s is damaged: its numbers have another checksum; remove it", c.dir)
	}
	l.state = c.State
	take := func(name string, into []float32) error {
		data, ok := lists[name]
		if !ok || len(data) != len(into) {
			return fmt.Errorf("tune: checkpoint %s: %q has %d numbers, want %d", c.dir, name, len(data), len(into))
		}
		copy(into, data)
		return nil
	}
	if len(l.p.Validation) > 0 {
		l.best = l.weights()
	}
	for i, w := range l.net.weights {
		name := w.tensor.Name
		err = errors.Join(err, take("weight/"+name, w.data))
		if l.best != nil {
			err = errors.Join(err, take("best/"+name, l.best[i]))
		}
		if l.average != nil {
			err = errors.Join(err, take("average/"+name, l.average[i]))
		}
	}
	if err != nil {
		return err
	}
	kept := map[string][]float32{}
	for name, data := range lists {
		if of, ok := strings.CutPrefix(name, "optimizer/"); ok {
			kept[of] = data
		}
	}
	return l.optimizer.SetState(kept)
}

// RemoveCheckpoints removes the checkpoints in dir, and dir where nothing else is in it.
func RemoveCheckpoints(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := removeOld(dir, 0); err != nil {
		return err
	}
	os.Remove(dir) // stays where it is not empty
	return nil
}

// identity says what a run is: its settings, its backbone, the head it begins with, its examples.
func (l *loop) identity() (map[string]string, error) {
	of := maps.Clone(l.p.Identity)
	if of == nil {
		of = map[string]string{}
	}
	text, err := json.Marshal(l.s)
	if err != nil {
		return nil, fmt.Errorf("tune: %w", err)
	}
	var settings map[string]json.RawMessage
	if err := json.Unmarshal(text, &settings); err != nil {
		return nil, fmt.Errorf("tune: %w", err)
	}
	for name, v := range settings {
		of[name] = string(v)
	}
	of["unfreeze"] = l.s.Unfreeze.String()
	h := sha256.New()
	if _, err := l.p.Model.WriteTo(h); err != nil {
		return nil, fmt.Errorf("tune: %w", err)
	}
	of["backbone"] = hex.EncodeToString(h.Sum(nil))
	h.Reset()
	for _, part := range []any{l.p.Weight.Data, l.p.Bias} {
		if err := binary.Write(h, binary.LittleEndian, part); err != nil {
			return nil, fmt.Errorf("tune: %w", err)
		}
	}
	of["head"] = hex.EncodeToString(h.Sum(nil))
	h.Reset()
	fmt.Fprint(h, l.p.Train, l.p.Validation, l.batches.sizes, l.p.Pairs, l.p.Tokens)
	of["rows"] = hex.EncodeToString(h.Sum(nil))
	return of, nil
}

// differences say where two identities are not the same.
func differences(there, here map[string]string) []string {
	names := map[string]bool{}
	for _, of := range []map[string]string{there, here} {
		for name := range of {
			names[name] = true
		}
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, b := there[name], here[name]
		switch {
		case a == b:
		case len(a) > 40 || len(b) > 40:
			list = append(list, "its "+name+" is another")
		default:
			list = append(list, fmt.Sprintf("its %s is %s, here %s", name, or(a, "none"), or(b, "none")))
		}
	}
	return list
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
