package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onnx-graft/graft/finetune"
)

// reportFlags say whether a run is reported on a page.
type reportFlags struct {
	on bool
}

func (r *reportFlags) add(flags *pflag.FlagSet) {
	flags.BoolVar(&r.on, "report", true, "write report.html beside the model, and its figures into the folder report")
}

func (r *reportFlags) settings() finetune.ReportSettings {
	return finetune.ReportSettings{Off: !r.on, Command: commandLine(os.Args)}
}

// commandLine writes arguments as a shell reads them.
func commandLine(args []string) string {
	if len(args) == 0 {
		return ""
	}
	out := []string{filepath.Base(args[0])}
	for _, a := range args[1:] {
		if a == "" || strings.ContainsAny(a, " \t\n\"'\\$`&|;<>()*?[]#~!{}") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		out = append(out, a)
	}
	return strings.Join(out, " ")
}
