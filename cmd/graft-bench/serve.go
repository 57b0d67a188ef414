package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// serveCommand makes this program a peer itself, so that graft's training runs in a process of its own beside PyTorch's.
const serveCommand = "serve-training"

// serve answers requests, one a line, until there are no more.
func serve(ctx context.Context, in io.Reader, out, log io.Writer) int {
	t := &trainee{}
	defer t.stop()
	requests, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var r struct {
			Do   string          `json:"do"`
			Args json.RawMessage `json:"args"`
		}
		if err := requests.Decode(&r); err != nil {
			if err != io.EOF {
				fmt.Fprintln(log, err)
				return 1
			}
			return 0
		}
		value, err := t.do(ctx, r.Do, r.Args)
		reply := map[string]any{"value": value}
		if err != nil {
			reply = map[string]any{"error": err.Error()}
		}
		if err := answers.Encode(reply); err != nil {
			fmt.Fprintln(log, err)
			return 1
		}
	}
}

// resetPeak lets the system forget the process's peak memory so far.
func resetPeak() error { return os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// peakMemory is the process's peak resident memory in MB since resetPeak.
func peakMemory() (float64, error) {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, fmt.Errorf("the system does not tell peak memory")
}
