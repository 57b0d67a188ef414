package vision

import (
	"bytes"
	"fmt"
	"image"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/vision/internal/raster"
)

// A Preprocessor makes tensors of pictures. It does not change after it was opened and bound, and is then safe for
// concurrent use. Unbound, it makes N×3×H×W float32 called pixel_values.
type Preprocessor struct {
	Transform Transform
	Input     Input
	Limits    Limits
	Threads   int // pictures prepared at once; 0: as many as there are cores

	layout  Layout   // that the input is to be read in, "" as its shape says
	augment *Augment // of pictures with a View; nil: there may be none
	values  *values
	workers *sync.Pool
	tensors *tensors
}

// newPreprocessor makes one for an input not yet known.
func newPreprocessor(t Transform, s *Settings) *Preprocessor {
	p := &Preprocessor{Transform: t, Limits: s.Limits.orDefault(), Threads: s.Threads, layout: s.Layout}
	p.Input = Input{Name: "pixel_values", Type: onnx.Float32, Layout: NCHW}
	if s.Layout != "" {
		p.Input.Layout = s.Layout
	}
	p.ready()
	return p
}

func (p *Preprocessor) ready() {
	p.values = tabulate(&p.Transform, p.Input.Type)
	p.workers = &sync.Pool{New: func() any { return new(worker) }}
	p.tensors = &tensors{}
}

// Bind makes p feed the one input of m that takes pictures, in its name, element type and layout. A graph that wants
// another size than p makes is an error. For a uint8 input, pixels are fed as they are: such graphs rescale themselves.
func (p *Preprocessor) Bind(m *onnx.Model) error {
	in, err := imageInput(m)
	if err != nil {
		return err
	}
	if p.layout != "" {
		for _, v := range m.Graph.Inputs {
			if v.Name == in.Name {
				in = in.relaid(v.Shape, p.layout)
			}
		}
	}
	if in.Type == onnx.Uint8 {
		t := &p.Transform
		t.Rescale, t.Offset, t.Normalize, t.Again = 0, 0, Normalize{}, nil
	}
	size := p.Transform.OutputSize()
	if size.X != 0 && (in.Width != 0 && in.Width != size.X || in.Height != 0 && in.Height != size.Y) {
		return fmt.Errorf("vision: the graph's input %q takes pictures of %dx%d, but preprocessing gives %dx%d",
			in.Name, in.Width, in.Height, size.X, size.Y)
	}
	p.Input = in
	p.ready()
	return nil
}

// Fingerprint identifies what p does: of the same picture, preprocessors with equal fingerprints make equal tensors.
func (p *Preprocessor) Fingerprint() string {
	return "vision/1 " + p.Input.String() + " " + p.Transform.String()
}

// Content returns the bytes that identify x: those of its file, and what is drawn of it where that is a view.
func (p *Preprocessor) Content(x Picture) ([]byte, error) {
	b, err := x.read(nil, p.Limits.orDefault().Bytes)
	if err == nil {
		err = p.canView(x)
	}
	if err != nil {
		return nil, &PictureError{Picture: x.String(), Err: err}
	}
	if x.View != 0 {
		b = append(fmt.Appendf(nil, "view %d of %+v\n", x.View, *p.augment), b...)
	}
	return b, nil
}

// canView refuses views of a preprocessor that makes none.
func (p *Preprocessor) canView(x Picture) error {
	if x.View != 0 && p.augment == nil {
		return fmt.Errorf("view %d of it is asked for, but the preprocessing does not augment", x.View)
	}
	return nil
}

// Feeds returns the input's tensor for a batch of pictures.
func (p *Preprocessor) Feeds(batch []Picture) (onnx.Feeds, error) {
	t, err := p.Tensor(batch)
	if err != nil {
		return nil, err
	}
	return onnx.Feeds{p.Input.Name: t}, nil
}

// Tensor returns the N×3×H×W (or N×H×W×3) tensor of a batch of pictures, prepared side by side. All must come out at one
// size. A picture that cannot be read is a [PictureError]; of several, the first.
func (p *Preprocessor) Tensor(batch []Picture) (*onnx.Tensor, error) {
	if len(batch) == 0 {
		return nil, fmt.Errorf("vision: no pictures")
	}
	size := p.Transform.OutputSize()
	w := p.workers.Get().(*worker)
	if size == (image.Point{}) {
		// The first picture decides.
		if err := p.prepare(w, batch[0]); err != nil {
			p.workers.Put(w)
			return nil, err
		}
		size = image.Pt(w.seen.W, w.seen.H)
	}
	p.workers.Put(w)
	each := 3 * size.X * size.Y * p.values.size
	if int64(each) > math.MaxInt32 {
		return nil, fmt.Errorf("vision: a tensor of %d bytes for one picture", each)
	}
	out := p.tensors.take(p.Input, p.Input.shape(len(batch), size))
	err := p.each(batch, func(i int, m *raster.Image) error {
		if m.W != size.X || m.H != size.Y {
			return fmt.Errorf("it comes out at %dx%d, the others of its batch at %dx%d: set a crop, or an exact size",
				m.W, m.H, size.X, size.Y)
		}
		return p.values.write(out, i, m, p.Input.Layout)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// View returns x as the model sees it: after resizing and cropping, before its values are changed.
func (p *Preprocessor) View(x Picture) (image.Image, error) {
	w := p.workers.Get().(*worker)
	defer p.workers.Put(w)
	if err := p.prepare(w, x); err != nil {
		return nil, err
	}
	return &raster.Image{W: w.seen.W, H: w.seen.H, Pix: bytes.Clone(w.seen.Pix)}, nil
}

// each prepares the pictures of batch side by side and calls f with each.
func (p *Preprocessor) each(batch []Picture, f func(i int, m *raster.Image) error) error {
	threads := p.Threads
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	var (
		next   atomic.Int64
		mu     sync.Mutex
		failed = len(batch) // the first picture that failed
		why    error
		wg     sync.WaitGroup
	)
	work := func() {
		w := p.workers.Get().(*worker)
		defer p.workers.Put(w)
		for {
			i := int(next.Add(1)) - 1
			mu.Lock()
			done := i >= failed
			mu.Unlock()
			if done {
				return
			}
			err := p.prepare(w, batch[i])
			if err == nil {
				if err = f(i, &w.seen); err != nil {
					err = &PictureError{Picture: batch[i].String(), Err: err}
				}
			}
			if err != nil {
				mu.Lock()
				if i < failed {
					failed, why = i, err
				}
				mu.Unlock()
			}
		}
	}
	for range min(threads, len(batch)) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	return why
}

// prepare reads, decodes and transforms x; w.seen is then what the model sees.
func (p *Preprocessor) prepare(w *worker, x Picture) error {
	limits := p.Limits.orDefault()
	data, err := x.read(w.file, limits.Bytes)
	if err == nil {
		if x.Data == nil {
			w.file = data
		}
		err = p.transform(w, data, x, limits)
	}
	if err != nil {
		return &PictureError{Picture: x.String(), Err: err}
	}
	return nil
}

// transform makes w.seen of x, whose bytes are data.
func (p *Preprocessor) transform(w *worker, data []byte, x Picture, l Limits) error {
	if x.View == 0 {
		return w.transform(data, &p.Transform, p.Transform.plan, l)
	}
	if err := p.canView(x); err != nil {
		return err
	}
	v := p.augment.variant(data, x.View)
	err := w.transform(data, &p.Transform, func(width, height int) plan {
		return v.plan(width, height, p.Transform.OutputSize())
	}, l)
	if err == nil {
		v.paint(&w.seen, p.Transform.Normalize.Mean)
	}
	return err
}
