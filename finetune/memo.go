package finetune

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx/storage"
)

// Beside rows, a cache keeps what took long to work out from them, and is the same each time: fitted heads, baselines,
// how to extract fastest on this machine. It is kept by a digest of all it depends on, the program itself included.
const (
	memoFolder = "results"
	memoLimit  = 300                    // files; above it the oldest half goes
	memoWorth  = 100 * time.Millisecond // what took less is worked out again
)

// A memo is one such result, as it lies in its file.
type memo struct {
	Sum   string          `json:"sum"` // SHA-256 of value
	Value json.RawMessage `json:"value"`
}

// remember returns what compute returned the last time it had the same key, and otherwise calls it. compute's value must
// survive being written as JSON. Without a cache, or where the file cannot be used, it is computed.
func remember[V any](c *Cache, kind string, key func(h hash.Hash), compute func() (V, error)) (V, error) {
	if c == nil {
		return compute()
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n", kind, program())
	key(h)
	path := filepath.Join(c.Dir, memoFolder, kind+"-"+hex.EncodeToString(h.Sum(nil))[:keyLength]+".json")
	var value V
	if recall(path, &value) {
		return value, nil
	}
	began := time.Now()
	value, err := compute()
	if err == nil && time.Since(began) >= memoWorth {
		note(path, value)
	}
	return value, err
}

// recall reads a result; a file that is not whole is as good as none.
func recall(path string, value any) bool {
	data, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	var m memo
	if json.Unmarshal(data, &m) != nil || m.Sum != sumOf(m.Value) {
		return false
	}
	return json.Unmarshal(m.Value, value) == nil
}

// note writes a result. That it cannot be written is no fault of the run.
func note(path string, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		return
	}
	data, err := json.Marshal(memo{Sum: sumOf(text), Value: text})
	if err != nil || os.MkdirAll(filepath.Dir(path), 0o777) != nil {
		return
	}
	if storage.WriteFile(path, data) == nil {
		forgetOldest(filepath.Dir(path))
	}
}

// forgetOldest removes the oldest half of too many files.
func forgetOldest(dir string) {
	files, err := os.ReadDir(dir)
	if err != nil || len(files) <= memoLimit {
		return
	}
	age := func(e os.DirEntry) time.Time {
		info, err := e.Info()
		if err != nil {
			return time.Time{}
		}
		return info.ModTime()
	}
	slices.SortFunc(files, func(a, b os.DirEntry) int { return age(a).Compare(age(b)) })
	for _, f := range files[:len(files)/2] {
		os.Remove(filepath.Join(dir, f.Name()))
	}
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// program identifies this build: another may work results out in another way.
func program() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	info, err := os.Stat(path)
	if err != nil {
		return path
	}
	return fmt.Sprint(path, info.Size(), info.ModTime().UnixNano())
}

// digestMatrix writes all that a matrix is.
func digestMatrix(h io.Writer, m heads.Matrix) {
	fmt.Fprintf(h, "%d×%d\n", m.Rows, m.Cols)
	if len(m.Data) > 0 {
		h.Write(rowBytes(m.Data))
	}
}

// digestTargets writes all that targets are.
func digestTargets(h io.Writer, y heads.Targets) {
	fmt.Fprintf(h, "%v %d\n", y.Class, y.Classes)
	digestMatrix(h, y.Labels)
	digestMatrix(h, y.Values)
	fmt.Fprintln(h, y.Weights)
}

// A keptProbe is a [ProbeResult] as it is kept: its head is linear, as numbers.
type keptProbe struct {
	Result              ProbeResult // less its head
	Rows, Cols          int
	Weight, Bias, Shift []byte
}

// keepProbe returns nil for a head that is not linear.
func keepProbe(r ProbeResult) *keptProbe {
	linear := heads.LinearOf(r.Head)
	if linear == nil {
		return nil
	}
	r.Head = nil
	return &keptProbe{
		Result: r, Rows: linear.Weight.Rows, Cols: linear.Weight.Cols,
		Weight: rowBytes(linear.Weight.Data), Bias: rowBytes(linear.Bias), Shift: rowBytes(linear.Shift),
	}
}

// result returns what was kept, and whether anything was.
func (k *keptProbe) result() (ProbeResult, bool) {
	if k == nil || len(k.Weight) != 4*k.Rows*k.Cols || len(k.Bias) != 4*k.Rows || len(k.Shift)%4 != 0 {
		return ProbeResult{}, false
	}
	numbers := func(data []byte) []float32 {
		if len(data) == 0 {
			return nil
		}
		v := make([]float32, len(data)/4)
		copy(rowBytes(v), data)
		return v
	}
	r := k.Result
	r.Head = &heads.Linear{Weight: heads.Matrix{Rows: k.Rows, Cols: k.Cols, Data: numbers(k.Weight)}, Bias: numbers(k.Bias), Shift: numbers(k.Shift)}
	return r, true
}

// probe is [Probe], or what it came to before.
func (c *Cache) probe(ctx context.Context, x heads.Matrix, y heads.Targets, s ProbeSettings) (ProbeResult, error) {
	var fresh *ProbeResult
	kept, err := remember(c, "probe", func(h hash.Hash) {
		plain := s
		plain.Progress, plain.Groups, plain.ValidationX, plain.ValidationY = nil, nil, heads.Matrix{}, heads.Targets{}
		fmt.Fprintf(h, "%+v\n%v\n", plain, s.Groups)
		digestMatrix(h, x)
		digestTargets(h, y)
		digestMatrix(h, s.ValidationX)
		digestTargets(h, s.ValidationY)
	}, func() (*keptProbe, error) {
		r, err := Probe(ctx, x, y, s)
		fresh = &r
		return keepProbe(r), err
	})
	if fresh != nil {
		return *fresh, err
	}
	if r, ok := kept.result(); ok {
		return r, nil
	}
	return Probe(ctx, x, y, s)
}

// keptBaselines is what baselines came to, or came to before.
func (w *workshop[T]) keptBaselines(ctx context.Context) ([]Baseline, error) {
	return remember(w.settings.Extract.Cache, "baselines", func(h hash.Hash) {
		fmt.Fprintf(h, "%s %v %q %d %q\n", w.goal.problem(), w.data.Pairs, w.data.Labels, w.settings.Probe.Seed, w.given.Preprocessor.Fingerprint())
		fmt.Fprintln(h, recordRows(w.data.Train), recordRows(w.data.Test))
	}, func() ([]Baseline, error) { return w.baselines(ctx) })
}
