package ort

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/onnx-graft/graft/onnx/storage"
)

// Environment variables that this package reads.
const (
	LibraryEnv = "GRAFT_ONNXRUNTIME" // path of the library, or of a folder that holds it
	OfflineEnv = "GRAFT_OFFLINE"     // 1 forbids fetching
)

const targetArch = runtime.GOARCH

// platformName names this machine to people.
func platformName() string { return runtime.GOOS + "/" + runtime.GOARCH }

// An Origin says how a library was found.
type Origin string

const (
	FromSetting Origin = "setting"           // Settings.Library
	FromEnv     Origin = "environment"       // $GRAFT_ONNXRUNTIME
	FromCache   Origin = "cache"             // fetched, now or earlier
	FromSystem  Origin = "system"            // a folder in which the system keeps libraries
	FromProcess Origin = "already in memory" // opened earlier by this process
)

// A Library is an ONNX Runtime shared library on this machine.
type Library struct {
	Path    string
	Version string // "" where its file does not say
	Source  Origin
	Package string // the published package it was fetched from, where known
}

// Find returns the library that [Open] would use, without loading it and without fetching one. Where there is none, or
// the one named explicitly is unfit, the error is a *LibraryError.
func Find(s Settings) (Library, error) {
	f, err := newFinder(s)
	if err != nil {
		return Library{}, err
	}
	return f.find()
}

// A finder looks for a library; its fields are what a test replaces.
type finder struct {
	settings Settings
	build    build // "" where graft knows no package for the provider
	os, arch string
	getenv   func(string) string
	system   []string // folders, besides those named in the environment
	sources  []source
	base     string // address of the release archives
	clients  clients
	looked   []Look
}

func newFinder(s Settings) (*finder, error) {
	card, err := s.Provider.card()
	if err != nil {
		return nil, err
	}
	return &finder{
		settings: s, build: card.build, os: runtime.GOOS, arch: runtime.GOARCH,
		getenv: os.Getenv, system: systemFolders(), sources: sources, base: releases, clients: defaultClients(),
	}, nil
}

// find goes through the places in order. A library that somebody named must be good; elsewhere the next one is tried.
func (f *finder) find() (Library, error) {
	for _, named := range []struct {
		path   string
		source Origin
	}{{f.settings.Library, FromSetting}, {f.getenv(LibraryEnv), FromEnv}} {
		if named.path != "" {
			return f.named(named.path, named.source)
		}
	}
	if lib, ok := f.cached(); ok {
		return lib, nil
	}
	for _, dir := range f.folders() {
		if lib, ok := f.inFolder(dir, FromSystem); ok {
			return lib, nil
		}
	}
	return Library{}, &LibraryError{Problem: Missing, Looked: f.looked, Mend: f.mendMissing()}
}

// named judges a library the user pointed at: a file, or a folder that holds it.
func (f *finder) named(path string, source Origin) (Library, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		lib, ok := f.inFolder(path, source)
		if !ok {
			return Library{}, &LibraryError{Problem: Missing, Path: path, Looked: f.looked, Mend: f.mendNamed(source)}
		}
		return lib, nil
	}
	lib, fault := f.judge(path, source)
	if fault != nil {
		fault.Mend = f.mendNamed(source)
		fault.Looked = f.looked
		return Library{}, fault
	}
	return lib, nil
}

// judge inspects one file and notes the finding.
func (f *finder) judge(path string, source Origin) (Library, *LibraryError) {
	info, err := inspect(path)
	fault := &LibraryError{Path: path, Err: err}
	switch {
	case errors.Is(err, os.ErrNotExist):
		fault.Problem, fault.Err = Missing, os.ErrNotExist
	case errors.Is(err, os.ErrPermission):
		fault.Problem = Unloadable
	case err != nil:
		fault.Problem = Corrupt
	case info.os != f.os || info.arch != f.arch:
		fault.Problem, fault.Found = WrongArch, fmt.Sprintf("%s/%s, this is %s/%s", info.os, info.arch, f.os, f.arch)
	case info.version != "" && olderThan(info.version, minVersion):
		fault.Problem, fault.Found = TooOld, "version "+info.version
	default:
		return Library{Path: path, Version: info.version, Source: source}, nil
	}
	f.looked = append(f.looked, Look{path, fault.reason()})
	return Library{}, fault
}

// inFolder returns the newest fit library of a folder that is, where the provider needs one, the right build.
func (f *finder) inFolder(dir string, source Origin) (Library, bool) {
	before := len(f.looked)
	var best Library
	for _, path := range f.librariesIn(dir) {
		lib, fault := f.judge(path, source)
		if fault != nil {
			continue
		}
		if f.build == buildCUDA && !f.hasCUDA(path) {
			f.looked = append(f.looked, Look{path, "built without CUDA"})
			continue
		}
		if best.Path == "" || olderThan(best.Version, lib.Version) {
			best = lib
		}
	}
	if best.Path == "" && len(f.looked) == before {
		f.looked = append(f.looked, Look{dir, "no ONNX Runtime"})
	}
	return best, best.Path != ""
}

// librariesIn lists the files of a folder that are ONNX Runtime by name; links to the same file count once.
func (f *finder) librariesIn(dir string) []string {
	pattern := map[string]string{"linux": "libonnxruntime.so*", "darwin": "libonnxruntime.[0-9]*dylib", "windows": "onnxruntime.dll"}[f.os]
	list, _ := filepath.Glob(filepath.Join(globEscape(dir), pattern))
	if f.os == "darwin" {
		bare, _ := filepath.Glob(filepath.Join(globEscape(dir), "libonnxruntime.dylib"))
		list = append(list, bare...)
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(path string) bool {
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			real = path
		}
		dup := seen[real]
		seen[real] = true
		return dup
	})
}

// globEscape makes a folder's name stand for itself in a pattern.
func globEscape(dir string) string {
	if runtime.GOOS == "windows" {
		return dir
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// hasCUDA reports whether a library has its CUDA part beside it.
func (f *finder) hasCUDA(path string) bool {
	found, _ := filepath.Glob(filepath.Join(globEscape(filepath.Dir(path)), "*onnxruntime_providers_cuda.*"))
	return len(found) > 0
}

// folders lists where the system looks for libraries, those of the environment first.
func (f *finder) folders() []string {
	var dirs []string
	for _, name := range []string{"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"} {
		dirs = append(dirs, filepath.SplitList(f.getenv(name))...)
	}
	if f.os == "windows" {
		dirs = append(dirs, filepath.SplitList(f.getenv("PATH"))...)
	}
	dirs = append(dirs, f.system...)
	seen := map[string]bool{"": true}
	return slices.DeleteFunc(dirs, func(dir string) bool {
		dup := seen[dir]
		seen[dir] = true
		return dup
	})
}

// systemFolders are the usual places of shared libraries.
func systemFolders() []string {
	triplet := map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}[runtime.GOARCH]
	return map[string][]string{
		"linux":  {"/usr/local/lib", "/usr/local/lib64", "/opt/onnxruntime/lib", "/usr/lib", "/usr/lib64", "/usr/lib/" + triplet},
		"darwin": {"/opt/homebrew/lib", "/opt/homebrew/opt/onnxruntime/lib", "/usr/local/lib"},
	}[runtime.GOOS]
}

// root returns the cache folder of every version and build.
func (f *finder) root() (string, error) {
	if f.settings.CacheDir != "" {
		return filepath.Abs(f.settings.CacheDir)
	}
	root, err := storage.CacheRoot()
	if err != nil {
		return "", err
	}
	return filepath.Join(root, "ort"), nil
}

// folder returns the cache folder of the library this finder wants.
func (f *finder) folder() (string, error) {
	root, err := f.root()
	if err != nil {
		return "", err
	}
	return filepath.Join(root, strings.Join([]string{Version, f.os, f.arch, string(f.build)}, "-")), nil
}

// olderThan compares versions of dotted numbers; what is not a number counts as 0.
func olderThan(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		var x, y int
		if i < len(as) {
			x, _ = strconv.Atoi(as[i])
		}
		if i < len(bs) {
			y, _ = strconv.Atoi(bs[i])
		}
		if c := cmp.Compare(x, y); c != 0 {
			return c < 0
		}
	}
	return false
}
