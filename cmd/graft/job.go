package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/tune"
	"github.com/onnx-graft/graft/models"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/onnxgo"
	"github.com/onnx-graft/graft/onnx/ort"
	"github.com/onnx-graft/graft/text"
	"github.com/onnx-graft/graft/vision"
)

// A job is one fine-tune as the command line describes it.
type job struct {
	backbone, data, out string
	title               string
	probabilities       bool
	tolerance           float64
	target              dataset.Target // of the data, once it is read

	table   tableFlags
	split   splitFlags
	head    headFlags
	tune    tuneFlags
	feature featureFlags
	text    textFlags
	vision  visionFlags
	augment augmentFlags
	cache   cacheFlags
	report  reportFlags
	judge   judgeFlags
	runtime runtimeFlags
	speed   speedFlags
}

// run carries the job out: the data, the backbone and the runtime are opened,
// in this order, so that what is wrong with them is said before anything slow.
func (j *job) run(ctx context.Context, a *app) (*finetune.Result, error) {
	data, err := j.read(ctx, a)
	if err != nil {
		return nil, err
	}
	source, err := j.source(data.Kind)
	if err != nil {
		return nil, err
	}
	s, err := j.settings(data.Labels)
	if err != nil {
		return nil, err
	}
	progress := a.newProgress()
	defer progress.finish()
	s.Progress = progress
	s.Views = j.augment.views
	if data.Kind == dataset.Images {
		b, err := j.imageBackbone(source)
		if err != nil {
			return nil, err
		}
		defer b.Model.Close()
		if err := j.trainOnViews(s.Tune); err != nil {
			return nil, err
		}
		pictures := dataset.Map(data, func(e dataset.Example[string]) vision.Picture { return vision.Picture{Path: e.Input} })
		r, err := launch(ctx, a, j, b, pictures, s)
		if err != nil {
			return nil, err
		}
		return r, j.saveBackbone(source, r, j.imageModel)
	}
	if j.augment.views != 0 || j.augment.magnitude != 0 {
		return nil, usagef("--augment makes views of pictures; %s holds texts", j.data)
	}
	b, err := j.textBackbone(source)
	if err != nil {
		return nil, err
	}
	defer b.Model.Close()
	r, err := launch(ctx, a, j, b, data, s)
	if err != nil {
		return nil, err
	}
	return r, j.saveBackbone(source, r, j.textModel)
}

// trainOnViews lets a training see the views of pictures that the head was fitted on.
func (j *job) trainOnViews(s *tune.Settings) error {
	switch {
	case j.tune.wordDropout > 0:
		return usagef("--word-dropout masks words of texts; %s holds pictures", j.data)
	case s != nil && j.augment.views > 0:
		s.Augmented, s.Views = j.augment.describe(), j.augment.views
	}
	return nil
}

// launch opens the runtime and runs.
func launch[T any](ctx context.Context, a *app, j *job, b *finetune.Backbone[T], data dataset.Split[T], s finetune.Settings) (*finetune.Result, error) {
	rt, err := j.runtime.open(ctx, a)
	if err != nil {
		return nil, err
	}
	s.Extract.RuntimeID = runtimeID(rt)
	j.speed.apply(&s.Extract, rt, j.runtime.threads)
	s.TuneRuntime = rt
	s.Versions = map[string]string{"graft": version(), "onnxruntime": rt.Version()}
	r, err := finetune.Run(ctx, j.runtime.sessions(rt), onnxgo.Runtime{}, b, data, s)
	if err != nil {
		j.tune.sayResume(ctx, a, s.Tune)
	}
	return r, err
}

// read reads the data and says what was noticed.
func (j *job) read(ctx context.Context, a *app) (dataset.Split[string], error) {
	s := j.table.settings()
	if err := j.split.apply(&s); err != nil {
		return dataset.Split[string]{}, err
	}
	data, err := dataset.Read(ctx, j.data, s)
	if err != nil {
		return data, asData(err)
	}
	for _, note := range data.Report.Notes {
		a.say("data: %s", note)
	}
	j.target = data.Target
	return data, nil
}

// asData marks an error as one of the user's data.
func asData(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return &dataError{err}
}

// source finds the backbone, which must be of the data's kind.
func (j *job) source(kind dataset.Kind) (models.Source, error) {
	task := models.Text
	if kind == dataset.Images {
		task = models.Image
	}
	if j.backbone == "" {
		return models.Default(task), nil
	}
	source, err := models.Hub{}.Resolve(j.backbone)
	if err != nil {
		return source, err
	}
	reads, err := sourceTask(source)
	if err != nil {
		return source, err
	}
	if reads != task {
		return source, &dataError{fmt.Errorf("the backbone %s reads %s, but %s holds %s", j.backbone, reads.Plural(), j.data, task.Plural())}
	}
	return source, nil
}

// settings are what the flags ask of package finetune.
func (j *job) settings(labels []string) (finetune.Settings, error) {
	probe, err := j.head.settings(labels, j.split.seed)
	if err != nil {
		return finetune.Settings{}, err
	}
	moves, err := j.tune.chosen(j.split.seed, j.out)
	if err != nil {
		return finetune.Settings{}, err
	}
	if moves != nil {
		moves.Smoothing = j.head.smoothing
	}
	if err := j.speed.check(); err != nil {
		return finetune.Settings{}, err
	}
	cache, err := j.cache.open()
	if err != nil {
		return finetune.Settings{}, err
	}
	store, err := j.cache.precision()
	if err != nil {
		return finetune.Settings{}, err
	}
	judge, err := j.judge.settings()
	if err != nil {
		return finetune.Settings{}, err
	}
	return finetune.Settings{
		Out: j.out, Title: j.title, Probabilities: j.probabilities, Tolerance: j.tolerance,
		Extract: finetune.ExtractSettings{Cache: cache, Store: store},
		Sweep:   j.feature.sweep(),
		Probe:   probe,
		Tune:    moves,
		Judge:   judge,
		Report:  j.report.settings(),
		Options: j.options(),
	}, nil
}

// options are the flags that decide what the model becomes, for its record.
// What the record says in other words is left out.
func (j *job) options() map[string]any {
	all := map[string]any{
		"test_fraction": j.split.test, "validation_fraction": j.split.validation, "seed": j.split.seed,
		"keep_duplicates": j.split.keep, "lenient": j.split.lenient,
		"probabilities": j.probabilities,
	}
	j.head.options(all)
	j.judge.options(all)
	j.table.options(all)
	if j.feature.pooling != "" {
		all["pooling"] = j.feature.pooling
	}
	if j.cache.store != string(finetune.Float32) {
		all["store"] = j.cache.store
	}
	return all
}

// textBackbone opens a text backbone for package finetune.
func (j *job) textBackbone(source models.Source) (*finetune.Backbone[string], error) {
	feature, task := j.feature, finetune.TextClassification
	if j.tune.settings.Mixup != 0 {
		return nil, usagef("--mixup mixes pictures; %s holds texts", j.data)
	}
	if j.target == dataset.Tags {
		if j.tune.wordDropout != 0 {
			return nil, usagef("--word-dropout leaves words out; the words of %s are tagged, and their tags would stay", j.data)
		}
		if feature.pooling != "" {
			return nil, usagef("--pooling makes one row of all tokens; %s has tagged words, each with a row of its own", j.data)
		}
		feature.pooling, task = string(onnx.PoolTokens), finetune.TokenClassification
	}
	b, err := openText(source, feature, j.text)
	if err != nil {
		return nil, err
	}
	backbone, err := finetune.NewBackbone(shortName(source.Name), task, b.Model, b.Feature.Tensor, b, text.OpenPreprocessor)
	if err != nil {
		return nil, err
	}
	backbone.Options = b.Options
	return backbone, j.tune.maskWords(backbone, b.Tokenizer, j.split.seed)
}

// textModel and imageModel open a backbone's graph, as it gives features.
func (j *job) textModel(source models.Source) (*onnx.Model, error) {
	b, err := j.textBackbone(source)
	if err != nil {
		return nil, err
	}
	return b.Model, nil
}

func (j *job) imageModel(source models.Source) (*onnx.Model, error) {
	b, err := j.imageBackbone(source)
	if err != nil {
		return nil, err
	}
	return b.Model, nil
}

// imageBackbone opens an image backbone for package finetune.
func (j *job) imageBackbone(source models.Source) (*finetune.Backbone[vision.Picture], error) {
	s := j.vision.settings()
	s.Feature, s.Pooling, s.Normalize = j.feature.named(), onnx.Pooling(j.feature.pooling), j.feature.normalize
	b, err := openVision(source, s)
	if err != nil {
		return nil, err
	}
	if err := j.augment.apply(b, j.split.seed); err != nil {
		return nil, err
	}
	backbone, err := finetune.NewBackbone(shortName(source.Name), finetune.ImageClassification, b.Model, b.Feature.Tensor, b, vision.OpenPreprocessor)
	if err != nil {
		return nil, err
	}
	backbone.View, backbone.Options = vision.Picture.At, b.Options
	return backbone, nil
}

// runtimeID identifies the runtime as far as its answers may differ in the
// last bits.
func runtimeID(rt *ort.Runtime) string {
	return strings.Join([]string{"onnxruntime", rt.Version(), string(rt.Provider())}, " ")
}

// version is graft's own, as the Go tool recorded it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
