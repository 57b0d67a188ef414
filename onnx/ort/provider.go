package ort

import (
	"fmt"
	"slices"
	"strconv"

	ortgo "github.com/yalue/onnxruntime_go"
)

// A Provider is the hardware or library that runs a graph's operators (an ONNX Runtime execution provider).
type Provider string

const (
	CPU      Provider = "cpu"
	CUDA     Provider = "cuda"
	TensorRT Provider = "tensorrt"
	CoreML   Provider = "coreml"
	DirectML Provider = "directml"
	OpenVINO Provider = "openvino"
)

// A build is a flavour of the ONNX Runtime library.
type build string

const (
	buildCPU  build = "cpu"
	buildCUDA build = "cuda"
)

// A providerCard is what there is to know of one provider.
type providerCard struct {
	provider Provider
	name     string // what ONNX Runtime calls it
	build    build  // which library to fetch for it; "" where graft fetches none
	mend     string // what to do where the library lacks it
	enable   func(o *ortgo.SessionOptions, device int) error
}

var providers = []providerCard{
	{CPU, "CPUExecutionProvider", buildCPU, "", func(*ortgo.SessionOptions, int) error { return nil }},
	{CUDA, "CUDAExecutionProvider", buildCUDA, "install CUDA and cuDNN of the version the library asks for", enableCUDA},
	{TensorRT, "TensorrtExecutionProvider", buildCUDA, "install TensorRT of the version the library asks for", enableTensorRT},
	{CoreML, "CoreMLExecutionProvider", buildCPU, "CoreML needs macOS", func(o *ortgo.SessionOptions, _ int) error {
		return o.AppendExecutionProviderCoreMLV2(nil)
	}},
	{DirectML, "DmlExecutionProvider", "", "name a DirectML build of ONNX Runtime with " + LibraryEnv, (*ortgo.SessionOptions).AppendExecutionProviderDirectML},
	{OpenVINO, "OpenVINOExecutionProvider", "", "name an OpenVINO build of ONNX Runtime with " + LibraryEnv, func(o *ortgo.SessionOptions, _ int) error {
		return o.AppendExecutionProviderOpenVINO(nil)
	}},
}

// card returns the card of p; "" is CPU.
func (p Provider) card() (providerCard, error) {
	if p == "" {
		p = CPU
	}
	for _, c := range providers {
		if c.provider == p {
			return c, nil
		}
	}
	return providerCard{}, fmt.Errorf("ort: unknown provider %q; there are %v", string(p), Providers())
}

// Providers lists every provider this package knows. Which of them work is up to the library: see [Runtime.Providers].
func Providers() []Provider {
	var list []Provider
	for _, c := range providers {
		list = append(list, c.provider)
	}
	return list
}

func enableCUDA(o *ortgo.SessionOptions, device int) error {
	cuda, err := ortgo.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	defer cuda.Destroy()
	if err := cuda.Update(map[string]string{"device_id": strconv.Itoa(device)}); err != nil {
		return err
	}
	return o.AppendExecutionProviderCUDA(cuda)
}

func enableTensorRT(o *ortgo.SessionOptions, device int) error {
	rt, err := ortgo.NewTensorRTProviderOptions()
	if err != nil {
		return err
	}
	defer rt.Destroy()
	if err := rt.Update(map[string]string{"device_id": strconv.Itoa(device)}); err != nil {
		return err
	}
	if err := o.AppendExecutionProviderTensorRT(rt); err != nil {
		return err
	}
	return enableCUDA(o, device) // for what TensorRT leaves over
}

// checkProvider makes sure that the provider works here: the library was built with it, and it starts.
func checkProvider(c providerCard, library string, available []string, device int) error {
	if !slices.Contains(available, c.name) {
		mend := c.mend
		if c.build == buildCUDA {
			mend = "let graft fetch the CUDA build (unset " + LibraryEnv + "), or name one with it"
		}
		return &ProviderError{Provider: c.provider, Library: library, Available: available, Mend: mend}
	}
	options, err := ortgo.NewSessionOptions()
	if err != nil {
		return fmt.Errorf("ort: session options: %w", err)
	}
	defer options.Destroy()
	if err := c.enable(options, device); err != nil {
		return &ProviderError{Provider: c.provider, Library: library, Available: available, Mend: c.mend, Err: err}
	}
	return nil
}
