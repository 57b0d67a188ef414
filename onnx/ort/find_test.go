package ort

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// elfHeader is the smallest ELF file that says which machine it is for: a header and no section.
func elfHeader(machine elf.Machine) []byte {
	b := make([]byte, 64)
	copy(b, elf.ELFMAG)
	b[4], b[5], b[6] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)
	binary.LittleEndian.PutUint16(b[16:], uint16(elf.ET_DYN))
	binary.LittleEndian.PutUint16(b[18:], uint16(machine))
	binary.LittleEndian.PutUint32(b[20:], uint32(elf.EV_CURRENT))
	binary.LittleEndian.PutUint16(b[52:], 64) // size of this header
	binary.LittleEndian.PutUint16(b[54:], 56) // of a program header
	binary.LittleEndian.PutUint16(b[58:], 64) // of a section header
	return b
}

// put writes a file below dir.
func put(t *testing.T, data []byte, elem ...string) string {
	t.Helper()
	path := filepath.Join(elem...)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// testFinder is a finder for linux/amd64 with nothing but what the test puts there.
func testFinder(t *testing.T, env map[string]string) *finder {
	return &finder{
		settings: Settings{CacheDir: t.TempDir(), Log: t.Logf},
		build:    buildCPU, os: "linux", arch: "amd64",
		sources: sources, base: releases,
		getenv:  func(name string) string { return env[name] },
		clients: clients{run: noProgram},
	}
}

func TestFindOrder(t *testing.T) {
	good := elfHeader(elf.EM_X86_64)
	dir := t.TempDir()
	setting := put(t, good, dir, "setting", "libonnxruntime.so.1.30.0")
	env := put(t, good, dir, "env", "libonnxruntime.so.1.29.0")
	system := put(t, good, dir, "system", "libonnxruntime.so.1.28.0")
	path := put(t, good, dir, "path", "libonnxruntime.so.1.27.0")

	vars := map[string]string{LibraryEnv: env, "LD_LIBRARY_PATH": filepath.Dir(path)}
	f := testFinder(t, vars)
	f.system = []string{filepath.Join(dir, "nothing"), filepath.Dir(system)}
	f.settings.Library = setting
	folder, err := f.folder()
	if err != nil {
		t.Fatal(err)
	}
	cached := put(t, good, folder, "libonnxruntime.so.1.26.0")

	for _, step := range []struct {
		want   Library
		remove func()
	}{
		{Library{Path: setting, Version: "1.30.0", Source: FromSetting}, func() { f.settings.Library = "" }},
		{Library{Path: env, Version: "1.29.0", Source: FromEnv}, func() { delete(vars, LibraryEnv) }},
		{Library{Path: cached, Version: "1.26.0", Source: FromCache}, func() { os.RemoveAll(folder) }},
		{Library{Path: path, Version: "1.27.0", Source: FromSystem}, func() { delete(vars, "LD_LIBRARY_PATH") }},
		{Library{Path: system, Version: "1.28.0", Source: FromSystem}, func() { os.Remove(system) }},
	} {
		if got, err := f.find(); err != nil || got != step.want {
			t.Errorf("found %+v, %v, want %+v", got, err, step.want)
		}
		step.remove()
	}
	f.looked = nil
	_, err = f.find()
	wantFault(t, err, Missing, folder, filepath.Join(dir, "nothing"), filepath.Dir(system), "curl")
}

// wantFault expects a *LibraryError of a kind that mentions certain things.
func wantFault(t *testing.T, err error, problem Problem, says ...string) {
	t.Helper()
	var fault *LibraryError
	if !errors.As(err, &fault) || fault.Problem != problem {
		t.Errorf("got %v, want a *LibraryError: %s", err, problem)
		return
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("the error does not mention %q:\n%v", s, err)
		}
	}
}

func TestNamedLibraryFaults(t *testing.T) {
	dir := t.TempDir()
	whole := elfHeader(elf.EM_X86_64)
	truncated := append([]byte(nil), whole...)
	binary.LittleEndian.PutUint64(truncated[40:], 1<<20) // section headers far beyond the end
	binary.LittleEndian.PutUint16(truncated[60:], 3)
	for _, c := range []struct {
		file    string
		data    []byte
		problem Problem
		says    []string
	}{
		{"libonnxruntime.so.1.17.1", whole, TooOld, []string{"1.17.1", minVersion}},
		{"libonnxruntime.so.1.30.0", elfHeader(elf.EM_AARCH64), WrongArch, []string{"linux/arm64", "linux/amd64"}},
		{"ppc.so", elfHeader(elf.EM_PPC64), WrongArch, []string{"ppc64"}},
		{"text.so", []byte("this is not a library"), Corrupt, []string{"ELF"}},
		{"empty.so", nil, Corrupt, nil},
		{"half.so", truncated, Corrupt, nil},
	} {
		path := put(t, c.data, dir, c.file)
		for _, source := range []Origin{FromSetting, FromEnv} {
			f := testFinder(t, map[string]string{})
			mend := "setting"
			if source == FromEnv {
				f.getenv = func(string) string { return path }
				mend = "unset " + LibraryEnv
			} else {
				f.settings.Library = path
			}
			_, err := f.find()
			wantFault(t, err, c.problem, append(c.says, path, mend)...)
		}
	}
	f := testFinder(t, nil)
	f.settings.Library = filepath.Join(dir, "nowhere.so")
	_, err := f.find()
	wantFault(t, err, Missing, f.settings.Library)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v is not os.ErrNotExist", err)
	}
	f = testFinder(t, nil)
	f.settings.Library = t.TempDir()
	_, err = f.find()
	wantFault(t, err, Missing, f.settings.Library)
}

// TestFindSkips expects unfit libraries in system folders to be passed over and reported.
func TestFindSkips(t *testing.T) {
	old := put(t, elfHeader(elf.EM_X86_64), t.TempDir(), "libonnxruntime.so.1.12.0")
	foreign := put(t, elfHeader(elf.EM_AARCH64), t.TempDir(), "libonnxruntime.so.1.30.0")
	both := t.TempDir()
	put(t, elfHeader(elf.EM_X86_64), both, "libonnxruntime.so.1.24.0")
	newer := put(t, elfHeader(elf.EM_X86_64), both, "libonnxruntime.so.1.31.0")
	if err := os.Symlink(newer, filepath.Join(both, "libonnxruntime.so")); err != nil {
		t.Skip(err)
	}
	f := testFinder(t, nil)
	f.system = []string{filepath.Dir(old), filepath.Dir(foreign), both}
	lib, err := f.find()
	if err != nil || lib.Version != "1.31.0" {
		t.Errorf("found %+v, %v, want the newest, 1.31.0", lib, err)
	}
	f = testFinder(t, map[string]string{OfflineEnv: "1"})
	f.system = []string{filepath.Dir(old), filepath.Dir(foreign)}
	_, err = f.find()
	wantFault(t, err, Missing, old, "1.12.0", foreign, "linux/arm64", OfflineEnv)
}

func TestFindCUDA(t *testing.T) {
	f := testFinder(t, nil)
	f.build = buildCUDA
	dir := t.TempDir()
	f.system = []string{dir}
	path := put(t, elfHeader(elf.EM_X86_64), dir, "libonnxruntime.so.1.30.0")
	_, err := f.find()
	wantFault(t, err, Missing, path, "without CUDA")
	put(t, nil, dir, "libonnxruntime_providers_cuda.so")
	if lib, err := f.find(); err != nil || lib.Path != path {
		t.Errorf("found %+v, %v", lib, err)
	}
}

// TestInspect reads the headers of the libraries that onnxruntime_go carries for its own tests, and of our own.
func TestInspect(t *testing.T) {
	libraries := moduleLibraries(t)
	for name, want := range map[string]binaryInfo{
		"onnxruntime_arm64.so":    {"linux", "arm64", ""},
		"onnxruntime_arm64.dylib": {"darwin", "arm64", ""},
		"onnxruntime.dll":         {"windows", "amd64", ""},
	} {
		got, err := inspect(filepath.Join(libraries, name))
		if err != nil || got.os != want.os || got.arch != want.arch {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, want)
		}
		if olderThan(got.version, minVersion) || got.version == "" {
			t.Errorf("%s: version %q, want one since %s", name, got.version, minVersion)
		}
		t.Logf("%s: %+v", name, got)
	}
	data, err := os.ReadFile(filepath.Join(libraries, "onnxruntime_arm64.so"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 3, 4, 63, 64, 1000, len(data) / 2, len(data) - 1} {
		if _, err := inspect(put(t, data[:n], t.TempDir(), "cut.so")); err == nil {
			t.Errorf("a library cut to %d of %d bytes was accepted", n, len(data))
		}
	}
}

// moduleLibraries returns the folder of test libraries in onnxruntime_go's module.
func moduleLibraries(t *testing.T) string {
	t.Helper()
	dir, err := moduleDir("github.com/yalue/onnxruntime_go")
	if err != nil {
		t.Skipf("where onnxruntime_go's module lies is not known: %v", err)
	}
	return filepath.Join(dir, "test_data")
}

func TestWrongArchitectureForReal(t *testing.T) {
	if runtime.GOOS == "linux" && runtime.GOARCH == "arm64" {
		t.Skip("the foreign library is this machine's")
	}
	path := filepath.Join(moduleLibraries(t), "onnxruntime_arm64.so")
	_, err := Find(Settings{Library: path})
	wantFault(t, err, WrongArch, path, "linux/arm64", platformName())
}

func TestOlderThan(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{{"1.9.0", "1.24.0", true}, {"1.24.0", "1.24.0", false}, {"1.24.1", "1.24.0", false}, {"1.24", "1.24.0", false}, {"", "1.0", true}, {"2.0.0", "1.30.0", false}} {
		if got := olderThan(c.a, c.b); got != c.want {
			t.Errorf("olderThan(%q, %q) = %v", c.a, c.b, got)
		}
	}
}

func TestUnknownProvider(t *testing.T) {
	if _, err := Find(Settings{Provider: "abacus"}); err == nil || !strings.Contains(err.Error(), "abacus") || !strings.Contains(err.Error(), "cuda") {
		t.Errorf("got %v, want an error naming the provider and those there are", err)
	}
}

// TestSourceTable checks that the table covers what is promised and that its rows are well-formed.
func TestSourceTable(t *testing.T) {
	seen := map[string]int{}
	for _, s := range sources {
		key := fmt.Sprintf("%s %s/%s", s.build, s.os, s.arch)
		seen[key]++
		inside := strings.Replace(s.library, "*", "onnxruntime-x", 1)
		if s.file(inside) != path.Base(s.library) || s.file("../../"+inside) != "" || s.file("a/"+inside) != "" {
			t.Errorf("%v: its own library is not taken, or one outside is", s)
		}
		if len(s.sha256) != 64 {
			t.Errorf("%v: digest %q", s, s.sha256)
		}
		if (s.platform != "") != (s.via == viaPip) {
			t.Errorf("%v: platform tag %q", s, s.platform)
		}
	}
	for _, platform := range []string{"linux/amd64", "linux/arm64", "darwin/arm64", "windows/amd64"} {
		if n := seen["cpu "+platform]; n != 3 {
			t.Errorf("%s has %d sources, want archive, pip and npm", platform, n)
		}
	}
	if seen["cuda linux/amd64"] == 0 || seen["cuda windows/amd64"] == 0 {
		t.Error("no CUDA source")
	}
}
