package main

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/onnx-graft/graft/onnx/ort"
)

// runtimeFlags choose the ONNX Runtime library and how it computes.
type runtimeFlags struct {
	library  string
	provider string
	device   int
	threads  int
}

func (r *runtimeFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&r.library, "onnxruntime", "", "the ONNX Runtime library, or its folder (GRAFT_ONNXRUNTIME)")
	flags.StringVar(&r.provider, "provider", string(ort.CPU), "what computes: cpu, cuda, tensorrt, coreml, directml or openvino")
	flags.IntVar(&r.device, "device", 0, "which device of the provider")
	flags.IntVar(&r.threads, "threads", 0, "threads to compute with (default: all cores)")
}

// settings returns what package ort is to be opened with.
func (r *runtimeFlags) settings(a *app) ort.Settings {
	return ort.Settings{
		Library: r.library, Provider: ort.Provider(r.provider), DeviceID: r.device, Threads: r.threads,
		Offline: a.offline, Log: a.say,
	}
}

// sessions returns the runtime to extract with: one thread a session, as many
// batches at a time as there are threads, where the processor computes; all
// of an accelerator otherwise.
func (r *runtimeFlags) sessions(rt *ort.Runtime) *ort.Runtime {
	if rt.Provider() == ort.CPU {
		return rt.With(1)
	}
	return rt
}

func (r *runtimeFlags) open(ctx context.Context, a *app) (*ort.Runtime, error) {
	if r.threads < 0 || r.device < 0 {
		return nil, usagef("--threads and --device take numbers of 0 or more")
	}
	return ort.Open(ctx, r.settings(a))
}
