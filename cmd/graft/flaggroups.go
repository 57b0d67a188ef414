package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A flagGroup is flags that belong together, under a title of their own in help.
type flagGroup struct {
	title string
	add   func(flags *pflag.FlagSet)
}

// addGroups gives cmd the flags of groups; help lists them in that order, and behind them what belongs to none.
func addGroups(cmd *cobra.Command, groups ...flagGroup) {
	sets := make([]*pflag.FlagSet, len(groups))
	for i, g := range groups {
		sets[i] = pflag.NewFlagSet(g.title, pflag.ContinueOnError)
		sets[i].SortFlags = false // what matters most is added first
		g.add(sets[i])
		cmd.Flags().AddFlagSet(sets[i])
	}
	plain := cmd.UsageTemplate()
	const list = "Flags:\n{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}"
	grouped := &strings.Builder{}
	for _, s := range sets {
		grouped.WriteString(s.Name() + ":\n" + literal(strings.TrimRight(s.FlagUsages(), "\n")) + "\n\n")
	}
	cmd.SetUsageTemplate(strings.Replace(plain, list, grouped.String()+"Other:\n  -h, --help   help for "+cmd.Name(), 1))
}

// literal writes text so that a template prints it as it is.
func literal(text string) string { return strings.ReplaceAll(text, "{{", `{{"{{"}}`) }
