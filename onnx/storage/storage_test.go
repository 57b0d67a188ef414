package storage

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMain lets the test binary play other processes: with STORAGE_CHILD set it does that part and exits.
func TestMain(m *testing.M) {
	switch part, dir := os.Getenv("STORAGE_CHILD"), os.Getenv("STORAGE_DIR"); part {
	case "":
		os.Exit(m.Run())
	case "stage": // starts a folder and waits to be killed
		f, err := NewFolder(dir)
		if err == nil {
			err = os.WriteFile(filepath.Join(f.Path(), "half"), []byte("x"), 0o666)
		}
		fmt.Println("ready", err)
		io.Copy(io.Discard, os.Stdin)
	case "replace": // replaces a folder for ever
		for i := 0; ; i++ {
			if err := fill(dir, strconv.Itoa(i)); err != nil {
				fmt.Println("failed", err)
				os.Exit(1)
			}
			if i == 0 {
				fmt.Println("ready <nil>")
			}
		}
	case "count": // adds 1 to a number in a file, under the lock, 50 times
		for range 50 {
			unlock, err := Lock(context.Background(), dir)
			if err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			data, _ := os.ReadFile(dir)
			n, _ := strconv.Atoi(string(data))
			os.WriteFile(dir, []byte(strconv.Itoa(n+1)), 0o666)
			unlock()
		}
	}
}

// child starts the test binary as another process playing part.
func child(t *testing.T, part, dir string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "STORAGE_CHILD="+part, "STORAGE_DIR="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd, bufio.NewReader(out)
}

// fill makes dir a folder of 5 files that all hold text.
func fill(dir, text string) error {
	f, err := NewFolder(dir)
	if err != nil {
		return err
	}
	defer f.Abort()
	for i := range 5 {
		if err := os.WriteFile(filepath.Join(f.Path(), strconv.Itoa(i)), []byte(text), 0o666); err != nil {
			return err
		}
	}
	return f.Commit()
}

// names lists dir, hidden names included.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	if got := names(t, dir); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}

func wantContent(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q (%v), want %q", path, got, err, want)
	}
}

func TestFileAppearsAtCommit(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := WriteFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, "new")
	wantContent(t, path, "old")
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	f.Abort()
	wantContent(t, path, "new")
	wantNames(t, dir, "a")
	if err := f.Commit(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("second Commit: %v, want os.ErrClosed", err)
	}
	if _, err := f.Write([]byte("x")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Write after Commit: %v, want os.ErrClosed", err)
	}
}

func TestFileAbort(t *testing.T) {
	dir := t.TempDir()
	f, err := Create(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, "new")
	f.Abort()
	wantNames(t, dir)
}

func TestFileKeepsLink(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "real"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	if err := WriteFile(filepath.Join(dir, "link"), []byte("new")); err != nil {
		t.Fatal(err)
	}
	wantContent(t, filepath.Join(dir, "real"), "new")
	if info, err := os.Lstat(filepath.Join(dir, "link")); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v %v", info, err)
	}
}

func TestErrorsNameThePath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "a.txt")
	err := WriteFile(path, nil)
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), kindFile) {
		t.Errorf("got %v, want os.ErrNotExist naming %s and no hidden name", err, path)
	}
	if runtime.GOOS == "windows" || os.Getuid() == 0 {
		return // permissions do not bind here
	}
	dir := t.TempDir()
	os.Chmod(dir, 0o555)
	defer os.Chmod(dir, 0o755)
	if err := WriteFile(filepath.Join(dir, "a"), nil); !errors.Is(err, os.ErrPermission) {
		t.Errorf("got %v, want os.ErrPermission", err)
	}
}

func TestFolderReplacesWhole(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "out")
	if err := os.MkdirAll(filepath.Join(dir, "extra"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := fill(dir, "new"); err != nil {
		t.Fatal(err)
	}
	wantNames(t, dir, "0", "1", "2", "3", "4")
	wantNames(t, parent, "out")

	f, err := NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	f.Abort()
	f.Abort()
	wantContent(t, filepath.Join(dir, "3"), "new")
	wantNames(t, parent, "out")
	if err := f.Commit(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Commit after Abort: %v, want os.ErrClosed", err)
	}
}

func TestFolderTargets(t *testing.T) {
	parent := t.TempDir()
	if err := fill(filepath.Join(parent, "a", "b", "out")+string(filepath.Separator), "x"); err != nil {
		t.Errorf("missing parents and a trailing separator: %v", err)
	}
	wantContent(t, filepath.Join(parent, "a", "b", "out", "0"), "x")
	file := filepath.Join(parent, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{file, ".", "/"} {
		if _, err := NewFolder(bad); err == nil {
			t.Errorf("NewFolder(%q) succeeded", bad)
		}
	}
	wantNames(t, parent, "a", "file")
}

// TestFolderTwoStepReplacement covers systems and file systems without an exchange in one step.
func TestFolderTwoStepReplacement(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "out")
	if err := fill(dir, "old"); err != nil {
		t.Fatal(err)
	}
	old := stage(dir, kindOld) // as after a crash between the two renames
	if err := os.Rename(dir, old); err != nil {
		t.Fatal(err)
	}
	f, err := NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, filepath.Join(dir, "0"), "old")
	f.Abort()

	if err := os.Mkdir(old, 0o777); err != nil { // as after a crash before the old content was removed
		t.Fatal(err)
	}
	if err := fill(dir, "new"); err != nil {
		t.Fatal(err)
	}
	wantContent(t, filepath.Join(dir, "0"), "new")
	wantNames(t, parent, "out")
}

func TestFolderSweepsTheDeadOnly(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "out")
	cmd, out := child(t, "stage", dir)
	if line, _ := out.ReadString('\n'); line != "ready <nil>\n" {
		t.Fatalf("child: %s", line)
	}
	f, err := NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	f.Abort()
	if got := names(t, parent); len(got) != 2 { // the child's folder and its lock
		t.Errorf("a living process' staging folder was touched: %q", got)
	}
	cmd.Process.Kill()
	cmd.Wait()
	f, err = NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	f.Abort()
	wantNames(t, parent)
}

// TestFolderKilled kills a process that replaces a folder over and over, and expects one whole generation.
func TestFolderKilled(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "out")
	for round := range 8 {
		cmd, out := child(t, "replace", dir)
		if line, _ := out.ReadString('\n'); line != "ready <nil>\n" {
			t.Fatalf("child: %s", line)
		}
		time.Sleep(time.Duration(3+7*round) * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
		f, err := NewFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		f.Abort()
		wantNames(t, parent, "out")
		first, err := os.ReadFile(filepath.Join(dir, "0"))
		if err != nil {
			t.Fatal(err)
		}
		for i := 1; i < 5; i++ {
			wantContent(t, filepath.Join(dir, strconv.Itoa(i)), string(first))
		}
	}
}

func TestFolderConcurrentCommits(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "out")
	var wait sync.WaitGroup
	for i := range 4 {
		wait.Go(func() {
			for range 10 {
				if err := fill(dir, strconv.Itoa(i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	wantNames(t, parent, "out")
	wantNames(t, dir, "0", "1", "2", "3", "4")
}

func TestLockBetweenProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n")
	var all []*exec.Cmd
	for range 3 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "STORAGE_CHILD=count", "STORAGE_DIR="+path)
		cmd.Stdout = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, cmd)
	}
	for _, cmd := range all {
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	wantContent(t, path, "150")
	wantNames(t, filepath.Dir(path), "n")
}

func TestLockWaitsAndStops(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l")
	unlock, err := Lock(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := Lock(ctx, path); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), path) {
		t.Errorf("Lock while held: %v, want the context's error naming %s", err, path)
	}
	unlock()
	again, err := Lock(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	unlock() // the first holder's second unlock must not free the second holder's lock
	if _, ok := tryLock(path); ok {
		t.Error("a second unlock freed somebody else's lock")
	}
	again()
}

func TestCacheDir(t *testing.T) {
	root := t.TempDir()
	t.Setenv(CacheEnv, root)
	dir, err := CacheDir("ort", "1")
	if err != nil || dir != filepath.Join(root, "ort", "1") {
		t.Fatalf("CacheDir = %q, %v", dir, err)
	}
	stale, fresh := stage(filepath.Join(dir, "a"), kindFile), stage(filepath.Join(dir, "b"), kindFile)
	for _, name := range []string{stale, fresh} {
		if err := os.WriteFile(name, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-2 * staleAfter)
	if err := os.Chtimes(stale, long, long); err != nil {
		t.Fatal(err)
	}
	if _, err := CacheDir("ort", "1"); err != nil {
		t.Fatal(err)
	}
	wantNames(t, dir, filepath.Base(fresh))

	file := filepath.Join(root, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv(CacheEnv, file)
	if _, err := CacheDir("ort"); err == nil || !strings.Contains(err.Error(), CacheEnv) || !strings.Contains(err.Error(), file) {
		t.Errorf("a cache below a file: %v, want an error naming %s and the variable", err, file)
	}
}

func TestWriteFileLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	want := bytes.Repeat([]byte("graft"), 1<<18)
	if err := WriteFile(path, want); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("read back %d bytes, %v", len(got), err)
	}
}
