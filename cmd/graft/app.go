package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"
)

// app is one invocation: its streams and the flags every command takes.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer // results, progress
	json, quiet    bool
	offline        bool
}

// commands is the command line, one file each, in the order help lists them.
var commands = []func(*app) *cobra.Command{
	finetuneCommand, predictCommand, evaluateCommand, compareCommand, fewshotCommand, extractCommand, inspectCommand, modelsCommand,
	demoCommand, doctorCommand, tokenizeCommand, preprocessCommand, cacheCommand,
}

// run carries out one command line and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	err := a.root(args).ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	code := exitCode(ctx, err)
	switch code {
	case exitInterrupted:
		fmt.Fprintln(stderr, "graft: interrupted; nothing was left half-written")
	default:
		fmt.Fprintln(stderr, "graft:", err)
	}
	return code
}

func (a *app) root(args []string) *cobra.Command {
	root := &cobra.Command{
		Use:           "graft",
		Short:         "Fine-tune pretrained ONNX models",
		Long:          "graft turns a pretrained .onnx backbone and labelled texts or pictures into one fine-tuned\nONNX model that any ONNX runtime can run, proved equal to what was evaluated.\n\n" + exitHelp(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE:          group,
	}
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w; run %s --help", err, cmd.CommandPath())
	})
	flags := root.PersistentFlags()
	flags.BoolVar(&a.json, "json", false, "print results as JSON")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "no progress on stderr")
	flags.BoolVar(&a.offline, "offline", envBool("GRAFT_OFFLINE"), "never use the network (GRAFT_OFFLINE=1)")
	for _, command := range commands {
		root.AddCommand(command(a))
	}
	return root
}

// group is what a command does that only has other commands below it.
func group(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("unknown command %q; run %s --help", args[0], cmd.CommandPath())
	}
	return cmd.Help()
}

// envBool reports whether an environment variable says yes.
func envBool(name string) bool {
	on, err := strconv.ParseBool(os.Getenv(name))
	return err == nil && on
}

// usageError is a command line that cannot be carried out as it stands.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// exactly, atLeast and none check the number of arguments after the flags.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usagef("%s takes %s; got %d arguments", cmd.CommandPath(), what, len(args))
		}
		return nil
	}
}

func atLeast(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < n {
			return usagef("%s takes %s", cmd.CommandPath(), what)
		}
		return nil
	}
}

func none(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments besides flags; got %q", cmd.CommandPath(), args[0])
	}
	return nil
}

// required says which of the named flags was not given, if any.
func required(cmd *cobra.Command, names ...string) error {
	var missing []error
	for _, name := range names {
		if !cmd.Flags().Changed(name) {
			missing = append(missing, fmt.Errorf("--%s is missing", name))
		}
	}
	if missing == nil {
		return nil
	}
	return usagef("%w; run %s --help", errors.Join(missing...), cmd.CommandPath())
}
