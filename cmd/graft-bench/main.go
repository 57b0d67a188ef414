// Command graft-bench measures graft beside named peers on the same work: a raw ONNX Runtime loop, sentence-transformers,
// PyTorch with Pillow, scikit-learn. All have the same number of threads and take turns; medians and spreads are written as
// JSON, and as a Markdown table, which the README quotes.
//
// Python peers need an environment that peers/install.sh makes. Without one the comparisons with them are left out, and
// named. Models and data are those of the shared test material.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/onnx-graft/graft/onnx/ort"
)

// PythonEnv names the interpreter of the environment that peers/install.sh made.
const PythonEnv = "GRAFT_BENCH_PYTHON"

// A benchmark is one kind of work and what it is compared with.
type benchmark struct {
	name   string
	about  string
	python bool // whether there is nothing to measure without Python
	shared bool // whether it works on the shared test material
	run    func(ctx context.Context, b *bench) (report, error)
}

// A report is what a benchmark found.
type report struct {
	rows        []row
	environment map[string]string
	leftOut     []string
}

// catalogue is every benchmark, in the order of the table.
var catalogue = []benchmark{
	{"text", "features of texts: raw ONNX Runtime, sentence-transformers", false, true, benchText},
	{"image", "features of JPEG files: raw ONNX Runtime, PyTorch and Pillow", false, true, benchImage},
	{"heads", "logistic regression: scikit-learn", true, false, benchHeads},
	{"tune", "training steps, time and memory: PyTorch", true, true, benchTune},
	{"track", "losses of 30 training steps, equal to PyTorch's", true, true, benchTrack},
	{"rerun", "a second identical finetune of 10,000 rows", false, true, benchRerun},
	{"cache", "reading 100,000 cached rows", false, false, benchCache},
	{"memory", "peak memory of graft extract, by number of texts", false, false, benchMemory},
}

// bench is one invocation.
type bench struct {
	shared, dir, python, graft string
	work                       string // part of the name of what is wanted of a benchmark; "": all of it
	only                       []string
	rounds, threads            int
	quick                      bool
	rt                         *ort.Runtime
	log                        io.Writer
}

func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.log, format+"\n", args...) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) > 1 && os.Args[1] == serveCommand {
		os.Exit(serve(ctx, os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run carries out a command line. It returns 1 where something failed or a check did not hold, 2 where the command line is
// wrong; a goal of speed that is missed is told in the table and is no failure.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	b := &bench{log: stderr}
	if err := b.parse(args, stderr); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		fmt.Fprintln(stderr, "graft-bench:", err)
		return 2
	}
	if err := b.measure(ctx, stdout); err != nil {
		fmt.Fprintln(stderr, "graft-bench:", err)
		return 1
	}
	return 0
}

func (b *bench) parse(args []string, stderr io.Writer) error {
	flags := flag.NewFlagSet("graft-bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&b.shared, "shared", cmp.Or(os.Getenv("GRAFT_SHARED"), "../shared"), "folder of the shared test material")
	flags.StringVar(&b.dir, "dir", "out/bench", "folder to leave results and table.md in; results of other benchmarks there stay")
	flags.StringVar(&b.python, "python", os.Getenv(PythonEnv), "interpreter of the peers' environment ("+PythonEnv+")")
	flags.StringVar(&b.graft, "graft", "", "the graft command to measure (default: built from this module)")
	flags.IntVar(&b.rounds, "rounds", 0, "measured rounds (default: the benchmark's own)")
	flags.IntVar(&b.threads, "threads", runtime.NumCPU(), "threads each side computes with; with fewer than there are cores, run under taskset")
	flags.StringVar(&b.work, "work", "", "measure only the fits and trainings whose name contains this, and leave no result")
	flags.BoolVar(&b.quick, "quick", false, "small sizes and one round: does it work?")
	only := flags.String("only", "", "benchmarks, separated by commas (default: all)")
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: graft-bench [flags]\n\nBenchmarks:")
		for _, one := range catalogue {
			fmt.Fprintf(stderr, "  %-8s %s\n", one.name, one.about)
		}
		fmt.Fprintln(stderr, "\nFlags:")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q: there are flags only", flags.Arg(0))
	}
	if b.rounds < 0 || b.threads < 1 {
		return errors.New("-rounds takes a number of 0 or more, -threads of 1 or more")
	}
	for name := range strings.SplitSeq(*only, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if !slices.ContainsFunc(catalogue, func(c benchmark) bool { return c.name == name }) {
			return fmt.Errorf("-only %s: no such benchmark; there are %s", name, strings.Join(names(), ", "))
		}
		b.only = append(b.only, name)
	}
	return nil
}

func names() []string {
	var all []string
	for _, c := range catalogue {
		all = append(all, c.name)
	}
	return all
}

// measure runs the benchmarks asked for, leaves each one's result as soon as it has it, and prints the table.
func (b *bench) measure(ctx context.Context, stdout io.Writer) error {
	runtime.GOMAXPROCS(b.threads)
	var err error
	if b.rt, err = ort.Open(ctx, ort.Settings{Threads: b.threads, Log: b.say}); err != nil {
		return err
	}
	var failed []error
	for _, one := range catalogue {
		if b.only != nil && !slices.Contains(b.only, one.name) {
			continue
		}
		if one.python && b.python == "" {
			b.say("%s: left out: no Python; see peers/install.sh and -python", one.name)
			continue
		}
		if _, err := os.Stat(b.asset()); one.shared && err != nil {
			b.say("%s: left out: the shared test material is not at %s; see -shared", one.name, b.shared)
			continue
		}
		b.say("%s: %s", one.name, one.about)
		before := loadAverage()
		found, err := one.run(ctx, b)
		if err != nil { // half a result is none: an older one stays
			failed = append(failed, fmt.Errorf("%s: %w", one.name, err))
			continue
		}
		if b.work != "" {
			found.print(stdout)
			continue
		}
		if len(found.rows) == 0 {
			continue
		}
		environment := b.environment()
		maps.Copy(environment, found.environment)
		if before != "" {
			environment["load before"] = before
		}
		r := result{Benchmark: one.name, Command: b.command(one.name), Environment: environment, Rows: found.rows, LeftOut: found.leftOut}
		if err := r.save(b.dir); err != nil {
			return err
		}
	}
	if b.work == "" {
		all, err := readResults(b.dir)
		if err != nil {
			return err
		}
		fmt.Fprint(stdout, markdown(all))
	}
	return errors.Join(failed...)
}

// wanted tells whether some work is to be measured.
func (b *bench) wanted(work string) bool { return strings.Contains(work, b.work) }

// print shows a report that is not kept.
func (r report) print(w io.Writer) {
	fmt.Fprint(w, markdown([]result{{Command: "part of a benchmark", Rows: r.rows, LeftOut: r.leftOut}}))
}

// command is the command line that gives a benchmark's result again.
func (b *bench) command(name string) string {
	c := "go run ./cmd/graft-bench -only " + name
	if b.quick {
		c += " -quick"
	}
	if b.rounds > 0 {
		c += fmt.Sprint(" -rounds ", b.rounds)
	}
	return c
}

// environment says what results depend on.
func (b *bench) environment() map[string]string {
	e := map[string]string{"threads": fmt.Sprint(b.threads), "onnxruntime": b.rt.Version(), "go": strings.TrimPrefix(runtime.Version(), "go")}
	if name := processorName(); name != "" {
		e["cpu"] = name
	}
	return e
}

// processorName is what the system calls the processor, where it says.
func processorName() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// loadAverage is how many threads wanted to run in the last minute, where the system says: above the cores that were idle,
// results are not to be trusted.
func loadAverage() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(data), " ")
	return first
}

// size returns how much of some work is done: less where a quick look is asked for.
func (b *bench) size(full, quick int) int {
	if b.quick {
		return quick
	}
	return full
}

// times returns how many measured rounds there are.
func (b *bench) times(usual int) int {
	if b.quick {
		usual = 1
	}
	return cmp.Or(b.rounds, usual)
}

// asset is a path in the shared test material.
func (b *bench) asset(elem ...string) string {
	return filepath.Join(append([]string{b.shared, "assets"}, elem...)...)
}

func mapKeys[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }
