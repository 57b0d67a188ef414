package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/onnx-graft/graft/models/demo"
)

// A training that is killed goes on with --resume to the model of the one left alone, for texts, tagged words and pictures, and
// leaves no checkpoint behind then.
func TestResumeKilled(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a killed process keeps its files locked for a while on Windows")
	}
	dir := workplace(t)
	pictures := filepath.Join(dir, "pictures")
	if err := demo.DrawPictures(pictures, 1); err != nil {
		t.Fatal(err)
	}
	thin(t, pictures, 6)
	var words strings.Builder
	for i := range 120 {
		fmt.Fprintf(&words, "%s\tB-per\nsaw\tO\n%d\tO\n\n", []string{"Ann", "Robert", "Maria"}[i%3], i)
	}
	for name, args := range map[string][]string{
		"texts":    {"--data", demoTexts(t, dir), "--lora", "2", "--word-dropout", "0.1", "--ema", "0.9"},
		"words":    {"--data", writeFile(t, dir, "words.conll", words.String()), "--unfreeze", "top:1", "--accumulate", "2"},
		"pictures": {"--data", pictures, "--unfreeze", "top:1", "--augment", "1", "--rand-augment", "9", "--mixup", "0.2", "--accumulate", "2", "--batch-size", "8"},
	} {
		t.Run(name, func(t *testing.T) {
			place := t.TempDir()
			args := append([]string{"finetune", "-q", "--C", "0.1", "--epochs", "2", "--seed", "2"}, args...)
			alone, resumed := filepath.Join(place, "alone"), filepath.Join(place, "resumed")
			graft(t, "", append(args, "--out", alone)...).want(t, exitOK)
			args = append(args, "--out", resumed, "--save-steps", "2")
			killAtCheckpoint(t, resumed+checkpointSuffix, args)
			graft(t, "", args...).want(t, exitUsage, "resume it")
			graft(t, "", append(args, "--resume", "--lr", "0.01")...).want(t, exitUsage, "its learning_rate is", "here 0.01")
			graft(t, "", append(args, "--resume")...).want(t, exitOK)
			if !bytes.Equal(file(t, alone, "model.onnx"), file(t, resumed, "model.onnx")) {
				t.Error("the resumed training gives another model")
			}
			if left, _ := filepath.Glob(filepath.Join(place, "*")); len(left) != 2 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// thin leaves so many files in each folder below dir.
func thin(t *testing.T, dir string, leave int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]int{}
	for _, f := range files {
		if of[filepath.Dir(f)]++; of[filepath.Dir(f)] > leave {
			if err := os.Remove(f); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// killAtCheckpoint kills graft when its first checkpoint is there.
func killAtCheckpoint(t *testing.T, dir string, args []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asGraft+"=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait() // killed: that is no success
	defer cmd.Process.Kill()
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(time.Millisecond) {
		if found, _ := filepath.Glob(filepath.Join(dir, "step-*")); len(found) > 0 {
			return
		}
	}
	t.Fatal("no checkpoint was written")
}

func file(t *testing.T, elem ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A trained backbone that was saved alone opens as a backbone, and gives the features of the trained model.
func TestSaveBackbone(t *testing.T) {
	dir := workplace(t)
	texts := demoTexts(t, dir)
	saved, again := filepath.Join(dir, "saved"), filepath.Join(dir, "again")
	args := []string{"finetune", "-q", "--data", texts, "--C", "0.1", "--json"}
	graft(t, "", append(args, "--out", filepath.Join(dir, "m"), "--unfreeze", "all", "--epochs", "2", "--save-backbone", saved)...).want(t, exitOK)
	graft(t, "", append(args, "--out", again, "--backbone", saved)...).want(t, exitOK)
	if a, b := file(t, saved, "tokenizer.json"), file(t, again, "tokenizer.json"); len(a) == 0 || len(b) == 0 {
		t.Error("no tokenizer was kept")
	}
	graft(t, "", append(args, "--out", filepath.Join(dir, "n"), "--unfreeze", "all", "--epochs", "1", "--save-backbone", saved)...).want(t, exitFailure, "not empty")
	graft(t, "", append(args, "--out", filepath.Join(dir, "n"), "--save-backbone", saved)...).want(t, exitUsage, "--unfreeze")
}

// Tagged words and pairs of texts train a backbone with the same command, and the trained backbone serves the next task.
func TestTuneOtherReadings(t *testing.T) {
	dir := workplace(t)
	var conll, scores strings.Builder
	scores.WriteString("score,sentence1,sentence2\n")
	for i := range 40 {
		fmt.Fprintf(&conll, "%s\tB-per\nwent\tO\nto\tO\n%d\tO\n\n", []string{"Ann", "Robert", "Maria"}[i%3], i)
		fmt.Fprintf(&scores, "%d.%d,the %s car,a car of the year %d\n", i%2*4, i, []string{"old", "new"}[i%2], 1990+i)
	}
	for name, content := range map[string]string{"d.conll": conll.String(), "d.csv": scores.String()} {
		data, out, saved := writeFile(t, dir, name, content), filepath.Join(dir, "model-"+name), filepath.Join(dir, "backbone-"+name)
		args := []string{"finetune", "-q", "--data", data, "--unfreeze", "top:1", "--epochs", "1"}
		graft(t, "", append(args, "--out", out, "--save-backbone", saved)...).want(t, exitOK)
		graft(t, "", append(args, "--out", out+"-again")...).want(t, exitOK)
		if !bytes.Equal(file(t, out, "model.onnx"), file(t, out+"-again", "model.onnx")) {
			t.Errorf("%s: the same seed gives another model", name)
		}
		graft(t, "", "finetune", "-q", "--data", data, "--backbone", saved, "--out", out+"-next").want(t, exitOK)
	}
	graft(t, "", "finetune", "-q", "--data", filepath.Join(dir, "d.conll"), "--out", "o", "--unfreeze", "all", "--word-dropout", "0.1").want(t, exitUsage, "tags would stay")
	graft(t, "", "finetune", "-q", "--data", filepath.Join(dir, "d.csv"), "--out", "o", "--unfreeze", "all", "--mixup", "0.1").want(t, exitUsage, "mixes pictures")
}

// The learning-rate finder says what it chose, in the record too.
func TestFoundRate(t *testing.T) {
	dir := workplace(t)
	out := filepath.Join(dir, "m")
	graft(t, "", "finetune", "-q", "--data", demoTexts(t, dir), "--out", out, "--C", "0.1", "--unfreeze", "top:1", "--epochs", "1", "--lr", "auto").want(t, exitOK)
	if record := string(file(t, out, "run.json")); !strings.Contains(record, `"find_rate": true`) || !strings.Contains(record, `"rates"`) {
		t.Errorf("the record lacks the finder's curve:\n%s", record)
	}
	for _, bad := range []string{"0", "-1", "fast", "NaN"} {
		graft(t, "", "finetune", "-q", "--data", filepath.Join(dir, "texts"), "--out", out, "--unfreeze", "all", "--lr", bad).want(t, exitUsage, "--lr takes")
	}
}
