package ort

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"unsafe"

	ortgo "github.com/yalue/onnxruntime_go"
)

// sessionOptions returns the options of every session. Their choices were measured on CPU: running operators one after
// another (the parallel mode was 2.3x slower), all graph optimisations, the arena on (off is 1.7x slower), memory
// patterns off (the same speed and 90 to 250 MB less where shapes vary), threads that stop spinning when a run ends (what
// follows in Go has the cores: an optimizer's step took 37 ms beside spinning threads, 21 without).
func (r *Runtime) sessionOptions() (*ortgo.SessionOptions, error) {
	o, err := ortgo.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	steps := []func() error{
		func() error { return o.SetExecutionMode(ortgo.ExecutionModeSequential) },
		func() error { return o.SetGraphOptimizationLevel(ortgo.GraphOptimizationLevelEnableAll) },
		func() error { return o.SetCpuMemArena(true) },
		func() error { return o.SetMemPattern(false) },
		func() error { return o.SetIntraOpNumThreads(r.Threads()) },
		func() error { return o.SetInterOpNumThreads(1) },
		func() error { return o.AddSessionConfigEntry("session.force_spinning_stop", "1") },
		func() error { return o.SetLogSeverityLevel(ortgo.LoggingLevelFatal) }, // errors are returned, not printed
		func() error { return deterministic(o) },
		func() error { return r.provider.enable(o, r.device) },
	}
	for _, key := range slices.Sorted(maps.Keys(r.config)) {
		steps = append(steps, func() error {
			if err := o.AddSessionConfigEntry(key, r.config[key]); err != nil {
				return fmt.Errorf("configuration %s=%s: %w", key, r.config[key], err)
			}
			return nil
		})
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, errors.Join(err, o.Destroy())
		}
	}
	return o, nil
}

// deterministic asks for the same bits from the same input.
func deterministic(o *ortgo.SessionOptions) error {
	options, err := pointerIn(o, "o")
	if err != nil {
		return err
	}
	return setDeterministic(options)
}

// pointerIn returns the C pointer that lies in an unexported field of one of onnxruntime_go's structs, named by the path
// to it. The names are checked: another version of that package gives an error, not a wild pointer.
func pointerIn(v any, path ...string) (unsafe.Pointer, error) {
	at := reflect.ValueOf(v)
	for _, name := range path {
		if at.Kind() != reflect.Pointer || at.Elem().Kind() != reflect.Struct || !at.Elem().FieldByName(name).IsValid() {
			return nil, fmt.Errorf("ort: onnxruntime_go's %T has no field %v", v, path)
		}
		at = at.Elem().FieldByName(name)
	}
	if at.Kind() != reflect.Pointer || at.IsNil() {
		return nil, fmt.Errorf("ort: onnxruntime_go's %T holds nothing in %v", v, path)
	}
	return at.UnsafePointer(), nil
}
