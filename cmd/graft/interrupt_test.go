package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/onnx-graft/graft/models/demo"
)

// asGraft is the environment variable that makes this test binary the program.
const asGraft = "GRAFT_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asGraft) != "" {
		main()
	}
	os.Exit(m.Run())
}

// Ctrl-C at every stage of a fine-tune: the exit code is that of an
// interruption, and nothing lies where the model would have been, or a whole
// model where it was done already.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot send Ctrl-C to another on Windows")
	}
	dir := workplace(t)
	pictures := filepath.Join(dir, "pictures")
	if err := demo.DrawPictures(pictures, 1); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		after string        // a stage that must be over
		wait  time.Duration // from then on, or from the start
	}{
		{"while it starts", "", 5 * time.Millisecond},
		{"early in extract", "", 300 * time.Millisecond},
		{"in extract", "", 900 * time.Millisecond},
		{"in probe", "extract:", 0},
		{"in evaluate", "probe:", 0},
		{"in export", "evaluate:", 0},
		{"in verify", "export:", 0},
		{"late in verify", "export:", 60 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			place := t.TempDir()
			out := filepath.Join(place, "model")
			code, stderr := interrupted(t, c.after, c.wait, "finetune", "--no-cache", "--data", pictures, "--out", out)
			killed := code == -1 && c.after == "" // before it could say anything
			if code != exitInterrupted && code != exitOK && !killed {
				t.Fatalf("exit code %d\n%s", code, stderr)
			}
			left, err := os.ReadDir(place)
			if err != nil {
				t.Fatal(err)
			}
			if code == exitOK {
				t.Logf("it was done before the signal came")
				graft(t, "", "evaluate", "-q", "--model", out, "--data", pictures).want(t, exitOK)
				left = left[1:]
			}
			if len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if code == exitInterrupted && !strings.Contains(stderr, "interrupted") {
				t.Errorf("standard error does not say so:\n%s", stderr)
			}
		})
	}
}

// interrupted runs graft in a process of its own, and sends it Ctrl-C some
// time after a line of standard error that starts with after, or after the
// start where that is empty.
func interrupted(t *testing.T, after string, wait time.Duration, args ...string) (code int, stderr string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asGraft+"=1")
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(pipe)
	var said strings.Builder
	for after != "" {
		line, err := reader.ReadString('\n')
		said.WriteString(line)
		if err != nil || strings.HasPrefix(line, after) {
			break
		}
	}
	time.Sleep(wait)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Logf("signal: %v", err)
	}
	rest, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	said.Write(rest)
	cmd.Wait() // the exit code says it all
	return cmd.ProcessState.ExitCode(), said.String()
}

// A process that reads standard input stops too.
func TestInterruptPredict(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot send Ctrl-C to another on Windows")
	}
	dir := workplace(t)
	model := filepath.Join(dir, "model")
	graft(t, "", "finetune", "--data", demoTexts(t, dir), "--out", model, "--C", "0.1", "-q").want(t, exitOK)
	cmd := exec.Command(os.Args[0], "predict", "--model", model)
	cmd.Env = append(os.Environ(), asGraft+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(in, "Where is it?\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // the exit code says it all
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d", code)
	}
}
