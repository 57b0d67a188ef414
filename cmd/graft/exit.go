package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/tune"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/models"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/ort"
	"github.com/onnx-graft/graft/text"
	"github.com/onnx-graft/graft/vision"
)

// The exit codes, part of the program's contract.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitData        = 3
	exitModel       = 4
	exitRuntime     = 5
	exitVerify      = 6
	exitDownload    = 7
	exitInterrupted = 130
)

// exits says what each code means and which errors lead to it. The first row
// that matches decides.
var exits = []struct {
	code  int
	means string
	match func(error) bool
}{
	{exitOK, "done", nil},
	{exitFailure, "anything else went wrong", nil},
	{exitUsage, "the command line is wrong", isAny(is[usageError], is[*heads.SettingError], is[*tune.MismatchError], is[*tune.UnfinishedError])},
	{exitData, "the data is wrong: a file, row, column, label or picture", isAny(
		is[*dataError], is[*dataset.RowError], is[*dataset.ColumnError], is[*vision.PictureError])},
	{exitModel, "the model is malformed, unsupported, or not on this machine", isAny(
		is[*modelError], is[*models.NotPulledError], is[*models.UnknownError], is[*onnx.MalformedError], is[*onnx.UnsupportedError],
		is[*text.MalformedError], is[*text.UnsupportedError], is[*vision.ConfigError], is[*tune.DepthError])},
	{exitRuntime, "ONNX Runtime or the provider asked for cannot be had", isAny(is[*ort.LibraryError], is[*ort.ProviderError])},
	{exitVerify, "the written model did not answer as the judged one; nothing was kept", is[*finetune.VerifyError]},
	{exitDownload, "a download failed, or the network is off", func(err error) bool {
		return is[*models.StatusError](err) || is[*models.DigestError](err) || errors.Is(err, models.ErrOffline)
	}},
	{exitInterrupted, "interrupted", nil},
}

// exitCode finds the code of an error.
func exitCode(ctx context.Context, err error) int {
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return exitInterrupted
	}
	for _, e := range exits {
		if e.match != nil && e.match(err) {
			return e.code
		}
	}
	return exitFailure
}

// is reports whether an error of type E is in err's chain.
func is[E error](err error) bool {
	var target E
	return errors.As(err, &target)
}

// isAny reports whether one of several conditions holds.
func isAny(conditions ...func(error) bool) func(error) bool {
	return func(err error) bool {
		for _, c := range conditions {
			if c(err) {
				return true
			}
		}
		return false
	}
}

// exitHelp is the table of exit codes as help shows it.
func exitHelp() string {
	var b strings.Builder
	b.WriteString("Exit codes:\n")
	for _, e := range exits {
		fmt.Fprintf(&b, "  %3d  %s\n", e.code, e.means)
	}
	return b.String()
}
