// Package ort runs ONNX models with ONNX Runtime: it finds the shared library or fetches it, and makes sessions of
// package onnx's kind. It is the only package of the project that knows C, and needs cgo.
package ort

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	ortgo "github.com/yalue/onnxruntime_go"

	"github.com/onnx-graft/graft/onnx"
)

// Settings of a [Runtime]. The zero value finds or fetches the CPU library and uses every core.
type Settings struct {
	Library  string   // path of the shared library, or of its folder; "": $GRAFT_ONNXRUNTIME, cache, system, fetch
	CacheDir string   // where fetched libraries are kept; "": ort in graft's cache
	Offline  bool     // never fetch; so does GRAFT_OFFLINE=1
	Provider Provider // "": CPU
	DeviceID int      // of CUDA, TensorRT and DirectML

	// Threads is the number of threads that share one operator's work in each session; 0 is as many as Go uses
	// (GOMAXPROCS, which knows of container limits).
	Threads int

	// Config holds entries for ONNX Runtime's session configuration (onnxruntime_session_options_config_keys.h).
	Config map[string]string

	Log func(format string, args ...any) // progress of a fetch; nil is silence
}

// A Runtime makes sessions with a loaded library. It is safe for concurrent use.
type Runtime struct {
	library  Library
	provider providerCard
	device   int
	threads  int
	config   map[string]string
	offered  []string
}

var _ onnx.Runtime = (*Runtime)(nil)

// process is the library this process has loaded: ONNX Runtime's environment is one a process and stays to its end.
var process struct {
	sync.Mutex
	library Library
	loaded  bool
}

// Open finds the ONNX Runtime library, or fetches it (see [Settings]), loads it, and checks the provider. A process can
// use one library only: once one is loaded a further Open uses it too, and naming another is an error. Failures to get a
// library are *LibraryError, a provider that cannot be had is a *ProviderError.
func Open(ctx context.Context, s Settings) (*Runtime, error) {
	card, err := s.Provider.card()
	if err != nil {
		return nil, err
	}
	if s.Threads < 0 {
		return nil, fmt.Errorf("ort: %d threads; want 0 for all cores, or more", s.Threads)
	}
	process.Lock()
	defer process.Unlock()
	if !process.loaded {
		if process.library, err = load(ctx, s); err != nil {
			return nil, err
		}
		process.loaded = true
	} else if s.Library != "" && !within(process.library.Path, s.Library) {
		return nil, &LibraryError{Problem: Conflict, Path: s.Library, Found: process.library.Path, Mend: "name the same library everywhere in one process"}
	}
	offered, err := availableProviders()
	if err != nil {
		return nil, fmt.Errorf("ort: list the providers of %s: %w", process.library.Path, err)
	}
	if err := checkProvider(card, process.library.Path, offered, s.DeviceID); err != nil {
		return nil, err
	}
	return &Runtime{
		library: process.library, provider: card, device: s.DeviceID, threads: s.Threads, config: maps.Clone(s.Config), offered: offered,
	}, nil
}

// within reports whether path is the file named, or lies in the folder named.
func within(path, named string) bool {
	for _, p := range []string{path, filepath.Dir(path)} {
		a, err1 := os.Stat(p)
		b, err2 := os.Stat(named)
		if err1 == nil && err2 == nil && os.SameFile(a, b) {
			return true
		}
	}
	return false
}

// load obtains the library and starts it.
func load(ctx context.Context, s Settings) (Library, error) {
	f, err := newFinder(s)
	if err != nil {
		return Library{}, err
	}
	lib, err := f.obtain(ctx)
	if err != nil {
		return Library{}, err
	}
	err = start(&lib)
	var fault *LibraryError
	if errors.As(err, &fault) {
		fault.Mend = f.mendNamed(lib.Source)
		if lib.Source == FromCache || lib.Source == FromSystem {
			fault.Mend = f.mendMissing()
		}
	}
	return lib, err
}

// start loads the library into the process. Its version is asked before its API, so that one too old is refused without
// its own complaint on the terminal.
func start(lib *Library) error {
	entry, err := openLibrary(lib.Path)
	if err != nil {
		return &LibraryError{Problem: Unloadable, Path: lib.Path, Err: err}
	}
	lib.Version = libraryVersion(entry)
	if olderThan(lib.Version, minVersion) {
		return &LibraryError{Problem: TooOld, Path: lib.Path, Found: "version " + lib.Version}
	}
	ortgo.SetSharedLibraryPath(lib.Path)
	if err := ortgo.InitializeEnvironment(ortgo.WithLogLevelFatal()); err != nil {
		return &LibraryError{Problem: Unloadable, Path: lib.Path, Err: err}
	}
	if err := bind(entry); err != nil {
		return &LibraryError{Problem: Unloadable, Path: lib.Path, Err: err}
	}
	if err := ortgo.DisableTelemetry(); err != nil {
		return fmt.Errorf("ort: switch telemetry off: %w", err)
	}
	return nil
}

// With returns a Runtime of the same library and provider whose sessions use that many threads (0: all cores).
func (r *Runtime) With(threads int) *Runtime {
	with := *r
	with.threads = max(threads, 0)
	return &with
}

// Version returns the library's own version, such as "1.30.0".
func (r *Runtime) Version() string { return r.library.Version }

// Path returns the library's file.
func (r *Runtime) Path() string { return r.library.Path }

// Source says how the library was found.
func (r *Runtime) Source() Origin { return r.library.Source }

// Library returns all that is known of the library.
func (r *Runtime) Library() Library { return r.library }

// Provider returns the execution provider in use.
func (r *Runtime) Provider() Provider { return r.provider.provider }

// Threads returns the number of threads of each session.
func (r *Runtime) Threads() int {
	if r.threads > 0 {
		return r.threads
	}
	return runtime.GOMAXPROCS(0)
}

// Providers lists the execution providers the library was built with, by ONNX Runtime's names, the preferred first.
func (r *Runtime) Providers() []string { return slices.Clone(r.offered) }
