package ort

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// clients runs the package clients of this machine; a test replaces run.
type clients struct {
	// run starts a program and returns what it said. It is os/exec's answer, errors.Is exec.ErrNotFound included.
	run func(ctx context.Context, dir, program string, args ...string) (string, error)
}

func defaultClients() clients { return clients{run: runProgram} }

// clientTimeout bounds one call of a package client, downloads of the large CUDA build included.
const clientTimeout = 15 * time.Minute

// runProgram starts a program that gets no input and is ended when ctx is done.
func runProgram(ctx context.Context, dir, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, clientTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.WaitDelay = 2 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// pipPrograms are the ways pip can be called, first one that works.
var pipPrograms = [][]string{
	{"python3", "-m", "pip"}, {"python", "-m", "pip"}, {"py", "-3", "-m", "pip"}, {"pip3"}, {"pip"},
}

// wheelPython is the Python a wheel is asked for where the local one has none; the library in it is the same for all.
const wheelPython = "3.12"

// pip downloads a source's wheel into dir and returns its path. First it is asked as it is, so that it refuses on systems
// the wheel is not made for; a Python too old or too new for any wheel is then told to look for another Python's.
func (c clients) pip(ctx context.Context, s source, dir string) (string, error) {
	program, err := c.findPip(ctx, dir)
	if err != nil {
		return "", err
	}
	common := append(program[1:len(program):len(program)], "download", "--no-deps", "--only-binary", ":all:",
		"--disable-pip-version-check", "--no-input", "--quiet", "--retries", "1", "--timeout", "15", "--dest", dir)
	spec := s.name + "==" + Version
	out, err := c.run(ctx, dir, program[0], append(common, spec)...)
	if err != nil && ctx.Err() == nil && c.noWheelForThisPython(ctx, dir, program) {
		out, err = c.run(ctx, dir, program[0], append(common,
			"--platform", s.platform, "--python-version", wheelPython, "--implementation", "cp", spec)...)
	}
	if err != nil {
		return "", clientError(strings.Join(program, " "), out, err)
	}
	return onlyFile(dir, "*.whl")
}

// findPip returns the first way of calling pip that answers.
func (c clients) findPip(ctx context.Context, dir string) ([]string, error) {
	for _, program := range pipPrograms {
		if _, err := c.run(ctx, dir, program[0], append(program[1:len(program):len(program)], "--version")...); err == nil {
			return program, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.New("pip is not installed")
}

// noWheelForThisPython reports whether asking for another Python's wheel makes sense: on glibc systems, macOS and Windows
// it does, on musl systems (Alpine) such a wheel would not load.
func (c clients) noWheelForThisPython(ctx context.Context, dir string, program []string) bool {
	out, err := c.run(ctx, dir, program[0], append(program[1:len(program):len(program)], "debug")...)
	return err != nil || !strings.Contains(out, "musllinux")
}

// npm downloads a source's package into dir and returns its path. Nothing of the package is run.
func (c clients) npm(ctx context.Context, s source, dir string) (string, error) {
	out, err := c.run(ctx, dir, "npm", "pack", s.name+"@"+Version, "--pack-destination", dir, "--ignore-scripts",
		"--silent", "--fetch-retries", "1", "--fetch-timeout", "60000")
	if errors.Is(err, exec.ErrNotFound) {
		return "", errors.New("npm is not installed")
	}
	if err != nil {
		return "", clientError("npm", out, err)
	}
	return onlyFile(dir, "*.tgz")
}

// clientError keeps the last line a package client said.
func clientError(program, out string, err error) error {
	lines := strings.FieldsFunc(out, func(r rune) bool { return r == '\n' || r == '\r' })
	for i := len(lines) - 1; i >= 0; i-- {
		if line := strings.TrimSpace(lines[i]); line != "" {
			return fmt.Errorf("%s: %s (%w)", program, line, err)
		}
	}
	return fmt.Errorf("%s: %w", program, err)
}

// onlyFile returns the one file of dir that matches.
func onlyFile(dir, pattern string) (string, error) {
	found, err := filepath.Glob(filepath.Join(globEscape(dir), pattern))
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("the package client left %d files %s, want 1", len(found), pattern)
	}
	return found[0], checkSize(found[0])
}

// checkSize refuses a package beyond the limit.
func checkSize(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxPackage {
		err = fmt.Errorf("%s is larger than %d bytes: %w", filepath.Base(path), int64(maxPackage), io.ErrShortBuffer)
	}
	return err
}
