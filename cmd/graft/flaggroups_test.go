package main

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// TestFlagGroups: help has each flag once.
func TestFlagGroups(t *testing.T) {
	help := graft(t, "", "finetune", "--help").want(t, exitOK).stdout
	finetuneCommand(&app{}).Flags().VisitAll(func(f *pflag.Flag) {
		if n := strings.Count(help, "\n      --"+f.Name+" "); n != 1 {
			t.Errorf("--%s is listed %d times", f.Name, n)
		}
	})
}
