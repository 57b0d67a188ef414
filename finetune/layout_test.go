package finetune

import (
	"context"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onnx-graft/graft/onnx"
)

// slowRuntime takes a time for each token that depends on the session's threads.
type slowRuntime struct {
	fakeRuntime
	token  time.Duration
	closed *atomic.Int64
	runs   *atomic.Int64
}

type slowSession struct {
	fakeIntoSession
	r *slowRuntime
}

func (r *slowRuntime) NewSession(*onnx.Model) (onnx.Session, error) {
	return slowSession{fakeIntoSession{fakeSession{&r.fakeRuntime}}, r}, nil
}

func (s slowSession) RunInto(ctx context.Context, feeds, outputs onnx.Feeds) error {
	shape := feeds["input_ids"].Shape
	time.Sleep(time.Duration(shape[0]*shape[1]) * s.r.token)
	s.r.runs.Add(1)
	return s.fakeIntoSession.RunInto(ctx, feeds, outputs)
}

func (s slowSession) Close() error {
	s.r.closed.Add(1)
	return nil
}

// arranged is what an extraction of many inputs would choose, and how many sessions and runs that took.
func arranged(t *testing.T, s ExtractSettings, byThreads map[int]time.Duration, n int) (l layout, open int, runs int64) {
	t.Helper()
	var closed, ran atomic.Int64
	made := 0
	s.Sessions = func(threads int) onnx.Runtime {
		made++
		return &slowRuntime{fakeRuntime: fakeRuntime{cols: 4, into: true}, token: byThreads[threads], closed: &closed, runs: &ran}
	}
	b := fakeBackbone("b", 4)
	e := extraction[string]{name: b.Name, model: b.Model, output: "features", cols: 4, pre: b.Preprocessor, xs: sentences(n)}
	var err error
	if e.settings, err = s.withDefaults(); err != nil {
		t.Fatal(err)
	}
	if err := e.arrange(context.Background(), allIndices(n)); err != nil {
		t.Fatal(err)
	}
	if e.session == nil {
		t.Fatal("no session")
	}
	return *e.chosen, made - int(closed.Load()), ran.Load()
}

func TestLayoutIsMeasuredWhereWorkIsLong(t *testing.T) {
	cache := &Cache{Dir: t.TempDir()}
	long := ExtractSettings{Cores: 2, Cache: cache, digest: "model"}
	together := map[int]time.Duration{1: 100 * time.Microsecond, 2: 20 * time.Microsecond} // two threads on one batch win
	l, open, runs := arranged(t, long, together, 100_000)
	if l.Threads != 2 || l.Workers != 1 || open != 1 || runs == 0 {
		t.Errorf("%+v, %d sessions open, %d runs", l, open, runs)
	}
	again, open, runs := arranged(t, long, together, 100_000)
	if again != l || open != 1 || runs != 0 {
		t.Errorf("a second time: %+v, %d sessions open, %d runs", again, open, runs)
	}
	other := long
	other.digest = "another"
	if l, _, runs := arranged(t, other, map[int]time.Duration{1: 100 * time.Microsecond, 2: 90 * time.Microsecond}, 100_000); l.Threads != 1 || l.Workers != 2 || runs == 0 {
		t.Errorf("another model, one thread a batch wins: %+v", l)
	}
}

func TestLayoutOfShortWorkIsTheUsual(t *testing.T) {
	usual := layout{Workers: 2, Threads: 1, Batch: defaultBatch, Tokens: defaultTokens}
	fast := map[int]time.Duration{1: time.Microsecond, 2: 0}
	s := ExtractSettings{Cores: 2, Cache: &Cache{Dir: t.TempDir()}, digest: "model"}
	if l, open, runs := arranged(t, s, fast, 100); l != usual || open != 1 || runs != 0 {
		t.Errorf("few inputs: %+v, %d runs", l, runs)
	}
	if l, open, _ := arranged(t, s, fast, 5000); l != usual || open != 1 {
		t.Errorf("fast inputs: %+v", l)
	}
	s.Workers, s.Tokens = 3, 77
	if l, _, runs := arranged(t, s, fast, 5000); l != (layout{3, 1, defaultBatch, 77}) || runs != 0 {
		t.Errorf("as the caller says: %+v, %d runs", l, runs)
	}
	s.Workers, s.Threads = 0, 2
	if l, _, _ := arranged(t, s, fast, 5000); l != (layout{1, 2, defaultBatch, 77}) {
		t.Errorf("threads as the caller says: %+v", l)
	}
}

func TestLayoutChangesNoRow(t *testing.T) {
	xs := sentences(600)
	want, _ := extract(t, &fakeRuntime{cols: 8}, fakeBackbone("b", 8), xs, ExtractSettings{})
	shared := &sharedSession{}
	s := ExtractSettings{Cores: 2, shared: shared, Sessions: func(int) onnx.Runtime { return &fakeRuntime{cols: 8, into: true} }}
	for range 2 {
		if got, _ := extract(t, &fakeRuntime{cols: 8}, fakeBackbone("b", 8), xs, s); !reflect.DeepEqual(got, want) {
			t.Error("other rows")
		}
	}
	if shared.layout == nil || shared.Session == nil {
		t.Error("nothing is shared")
	}
}
