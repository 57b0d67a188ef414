package ort

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"syscall"

	"github.com/onnx-graft/graft/onnx/storage"
)

// manifestName is the file in a cache folder that says what was fetched.
const manifestName = "library.json"

// A manifest describes a fetched library, so that a damaged one is noticed.
type manifest struct {
	File    string `json:"file"`
	Version string `json:"version"`
	Package string `json:"package"`
	SHA256  string `json:"sha256"`
}

// cached returns the library in graft's cache if it is whole. One that was put there by hand, without a manifest, will do.
func (f *finder) cached() (Library, bool) {
	if f.build == "" {
		return Library{}, false
	}
	dir, err := f.folder()
	if err != nil {
		f.looked = append(f.looked, Look{"graft's cache", err.Error()})
		return Library{}, false
	}
	m, err := readManifest(dir)
	if errors.Is(err, os.ErrNotExist) {
		return f.inFolder(dir, FromCache)
	}
	if err != nil {
		f.looked = append(f.looked, Look{filepath.Join(dir, manifestName), err.Error()})
		return Library{}, false
	}
	file := filepath.Join(dir, m.File)
	if got, err := digest(file); err == nil && got != m.SHA256 {
		f.looked = append(f.looked, Look{file, fmt.Sprintf("%s: SHA-256 is %s, fetched was %s", Corrupt, got, m.SHA256)})
		return Library{}, false
	}
	lib, fault := f.judge(file, FromCache)
	lib.Package = m.Package
	return lib, fault == nil
}

func readManifest(dir string) (manifest, error) {
	var m manifest
	data, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, err
	}
	if m.File == "" || m.File != filepath.Base(m.File) {
		return m, fmt.Errorf("%q is not a file's name", m.File)
	}
	return m, nil
}

// obtain returns the library in use by find's order, fetching it where there is none.
func (f *finder) obtain(ctx context.Context) (Library, error) {
	lib, err := f.find()
	var fault *LibraryError
	if err == nil || !errors.As(err, &fault) || fault.Path != "" || f.build == "" || f.offline() {
		return lib, err
	}
	return f.fetch(ctx)
}

// offline reports whether fetching is forbidden.
func (f *finder) offline() bool {
	switch f.getenv(OfflineEnv) {
	case "", "0", "false", "no":
		return f.settings.Offline
	}
	return true
}

// fetch goes through the sources for this platform until one yields a good library. Of several processes that want the
// same library one fetches, the others wait for it and use what it fetched.
func (f *finder) fetch(ctx context.Context) (Library, error) {
	dir, err := f.folder()
	if err != nil {
		return Library{}, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return Library{}, fmt.Errorf("ort: make the cache folder (%s moves it): %w", storage.CacheEnv, err)
	}
	unlock, err := storage.Lock(ctx, dir)
	if err != nil {
		return Library{}, fmt.Errorf("ort: wait for another process that fetches ONNX Runtime: %w", err)
	}
	defer unlock()
	tried := f.looked
	f.looked = nil
	if lib, ok := f.cached(); ok { // somebody else was faster
		return lib, nil
	}
	f.looked = tried
	for _, s := range f.sources {
		if s.build != f.build || s.os != f.os || s.arch != f.arch {
			continue
		}
		f.log("fetching ONNX Runtime %s: %s", Version, s)
		lib, err := f.fetchFrom(ctx, s, dir)
		if err == nil {
			f.log("ONNX Runtime %s is in %s", lib.Version, lib.Path)
			return lib, nil
		}
		if ctx.Err() != nil {
			return Library{}, fmt.Errorf("ort: fetch ONNX Runtime: %w", context.Cause(ctx))
		}
		if isCacheFault(err) {
			return Library{}, fmt.Errorf("ort: keep ONNX Runtime in %s (%s moves the cache): %w", dir, storage.CacheEnv, err)
		}
		f.log("%s: %v", s, err)
		f.looked = append(f.looked, Look{s.String(), err.Error()})
	}
	return Library{}, &LibraryError{Problem: Missing, Looked: f.looked, Mend: f.mendMissing()}
}

// isCacheFault reports whether a fetch failed for want of room or rights in the cache, which no other source mends.
func isCacheFault(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EROFS) || errors.Is(err, os.ErrPermission)
}

// fetchFrom fetches one package, takes the library out of it, checks it, and puts it into the cache folder dir.
func (f *finder) fetchFrom(ctx context.Context, s source, dir string) (Library, error) {
	stage, err := storage.NewFolder(dir)
	if err != nil {
		return Library{}, err
	}
	defer stage.Abort()
	pack, err := f.download(ctx, s, stage.Path())
	if err != nil {
		return Library{}, err
	}
	if s.via == viaArchive {
		if err := checkDigest(pack, s.sha256); err != nil {
			return Library{}, err
		}
	}
	if err := extract(pack, stage.Path(), s.file); err != nil {
		return Library{}, fmt.Errorf("unpack %s: %w", filepath.Base(pack), err)
	}
	if err := os.Remove(pack); err != nil {
		return Library{}, err
	}
	m, err := f.accept(s, stage.Path())
	if err != nil {
		return Library{}, err
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return Library{}, err
	}
	if err := os.WriteFile(filepath.Join(stage.Path(), manifestName), data, 0o666); err != nil {
		return Library{}, err
	}
	if err := stage.Commit(); err != nil {
		return Library{}, err
	}
	return Library{Path: filepath.Join(dir, m.File), Version: m.Version, Source: FromCache, Package: m.Package}, nil
}

// download fetches a source's package into dir and returns its path.
func (f *finder) download(ctx context.Context, s source, dir string) (string, error) {
	switch s.via {
	case viaArchive:
		return downloadArchive(ctx, f.base+s.name, dir, f.log)
	case viaPip:
		return f.clients.pip(ctx, s, dir)
	default:
		return f.clients.npm(ctx, s, dir)
	}
}

// accept checks an unpacked library: digest, format, machine, version.
func (f *finder) accept(s source, dir string) (manifest, error) {
	name := path.Base(s.library)
	file := filepath.Join(dir, name)
	sum, err := digest(file)
	if errors.Is(err, os.ErrNotExist) {
		return manifest{}, fmt.Errorf("it does not hold %s", s.library)
	}
	if err == nil && s.via != viaArchive {
		err = checkDigest(file, s.sha256)
	}
	if err != nil {
		return manifest{}, err
	}
	before := f.looked
	lib, fault := f.judge(file, FromCache)
	f.looked = before
	if fault != nil {
		return manifest{}, fmt.Errorf("%s: %s", s.library, fault.reason())
	}
	if lib.Version == "" {
		lib.Version = Version
	}
	return manifest{File: name, Version: lib.Version, Package: s.String(), SHA256: sum}, nil
}

// digest returns a file's SHA-256 in hex.
func digest(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	_, err = io.Copy(h, file)
	return hex.EncodeToString(h.Sum(nil)), err
}

// checkDigest compares a file's SHA-256 with the one wanted; "" wants none.
func checkDigest(name, want string) error {
	got, err := digest(name)
	if err == nil && want != "" && got != want {
		err = fmt.Errorf("%s has SHA-256 %s, want %s", filepath.Base(name), got, want)
	}
	return err
}

// log reports progress where the caller wants it.
func (f *finder) log(format string, args ...any) {
	if f.settings.Log != nil {
		f.settings.Log(format, args...)
	}
}

// mendMissing is the command to give where no library can be had.
func (f *finder) mendMissing() string {
	if f.offline() {
		return "fetching is forbidden; run once without " + OfflineEnv + " and without the offline setting"
	}
	dir, err := f.folder()
	if err != nil {
		return "set " + storage.CacheEnv + " to a folder that may be written"
	}
	for _, s := range f.sources {
		if s.via == viaArchive && s.build == f.build && s.os == f.os && s.arch == f.arch {
			if s.os == "windows" {
				return fmt.Sprintf(`mkdir "%s" && curl -fLO %s && tar xf %s --strip-components=2 -C "%s"`, dir, f.base+s.name, s.name, dir)
			}
			return fmt.Sprintf("mkdir -p '%s' && curl -fL %s | tar xz --strip-components=2 -C '%s'", dir, f.base+s.name, dir)
		}
	}
	return fmt.Sprintf("no package of ONNX Runtime is known for %s/%s and this provider; build it and name the library with %s", f.os, f.arch, LibraryEnv)
}

// mendNamed is the command to give where the library the user pointed at is unfit.
func (f *finder) mendNamed(source Origin) string {
	if source == FromEnv {
		return "unset " + LibraryEnv + ", and graft finds or fetches one itself"
	}
	return "leave the library setting out, and graft finds or fetches one itself"
}
