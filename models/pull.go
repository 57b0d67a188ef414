package models

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/onnx-graft/graft/onnx/storage"
)

// DefaultHub is where cards' repositories live unless a Hub says otherwise.
const DefaultHub = "https://huggingface.co"

// A Hub downloads cards into a folder of backbones. The zero value uses
// DefaultHub and graft's cache. Its methods may be called by several
// goroutines and processes at once.
type Hub struct {
	Base    string       // scheme and host, perhaps a path; "" is DefaultHub
	Dir     string       // where backbones are kept; "" is the cache's folder "models"
	Offline bool         // refuse to use the network
	Client  *http.Client // nil is one without a time limit on bodies

	// Progress, if set, hears of each file as its bytes arrive. total is -1
	// where the hub does not say. Calls come from one goroutine at a time.
	Progress func(file string, done, total int64)
}

// ErrOffline is wrapped by the error of a Pull that would need the network
// while that is forbidden.
var ErrOffline = errors.New("the network is off (--offline or GRAFT_OFFLINE=1)")

// A StatusError is a hub's refusal.
type StatusError struct {
	URL    string
	Status int
}

func (e *StatusError) Error() string {
	hint := ""
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		hint = "; the repository is private or asks for its terms to be accepted: download it with the hub's own client and give its folder"
	case http.StatusNotFound:
		hint = "; the repository has no such file"
	}
	return fmt.Sprintf("%s: HTTP %d %s%s", e.URL, e.Status, http.StatusText(e.Status), hint)
}

// A DigestError says that a downloaded file is not the one that was promised.
// Nothing of it is kept.
type DigestError struct{ File, Want, Got string }

func (e *DigestError) Error() string {
	return fmt.Sprintf("%s has digest %s, expected %s; nothing was kept, try again or check the network in between", e.File, e.Got, e.Want)
}

// Folder returns where the card's files are, or would be, on this machine.
func (h Hub) Folder(c Card) (string, error) {
	if h.Dir != "" {
		return filepath.Join(h.Dir, c.Name), nil
	}
	root, err := storage.CacheRoot()
	if err != nil {
		return "", err
	}
	return filepath.Join(root, "models", c.Name), nil
}

// Pulled reports whether the card's files are on this machine, and where.
func (h Hub) Pulled(c Card) (string, bool) {
	dir, err := h.Folder(c)
	if err != nil {
		return "", false
	}
	_, err = os.Stat(filepath.Join(dir, sourceFile))
	return dir, err == nil
}

// sourceFile is written last into a backbone's folder and says where its
// files came from.
const sourceFile = "source.json"

// source is the content of sourceFile.
type source struct {
	Name     string            `json:"name"`
	Repo     string            `json:"repo"`
	Revision string            `json:"revision"`
	License  string            `json:"license"`
	Digests  map[string]string `json:"digests"` // by file, "sha256:…"
}

// Pull makes sure that the card's files are on this machine and returns their
// folder, which appears whole or not at all. What an interrupted Pull had
// downloaded is used by the next. Every file whose digest the card or the hub
// states is checked against it.
func (h Hub) Pull(ctx context.Context, c Card) (string, error) {
	dir, err := h.Folder(c)
	if err != nil {
		return "", err
	}
	if _, ok := h.Pulled(c); ok {
		return dir, nil
	}
	if h.Offline {
		return "", fmt.Errorf("models: %s is not on this machine: %w", c.Name, ErrOffline)
	}
	partial := filepath.Join(filepath.Dir(dir), ".partial", c.Name)
	if err := os.MkdirAll(partial, 0o755); err != nil {
		return "", fmt.Errorf("models: %w", err)
	}
	unlock, err := storage.Lock(ctx, partial)
	if err != nil {
		return "", fmt.Errorf("models: %w", err)
	}
	defer unlock()
	if _, ok := h.Pulled(c); ok { // by another process, while this one waited
		return dir, os.RemoveAll(partial)
	}
	if err := os.MkdirAll(partial, 0o755); err != nil {
		return "", fmt.Errorf("models: %w", err)
	}
	if err := h.fill(ctx, c, partial); err != nil {
		return "", fmt.Errorf("models: pull %s: %w", c.Name, err)
	}
	if err := os.RemoveAll(dir); err != nil { // left by hand: it has no sourceFile
		return "", fmt.Errorf("models: %w", err)
	}
	if err := os.Rename(partial, dir); err != nil {
		return "", fmt.Errorf("models: %w", err)
	}
	return dir, nil
}

// fill brings every file of the card into partial.
func (h Hub) fill(ctx context.Context, c Card, partial string) error {
	src := source{Name: c.Name, Repo: c.Repo, License: c.License, Digests: map[string]string{}}
	for _, f := range c.Files {
		target := filepath.Join(partial, filepath.FromSlash(f.local()))
		if !filepath.IsLocal(filepath.FromSlash(f.local())) {
			return fmt.Errorf("file %q leaves its folder", f.local())
		}
		got, err := h.fetch(ctx, c, f, target)
		var status *StatusError
		if f.Optional && errors.As(err, &status) && status.Status == http.StatusNotFound {
			continue
		}
		if err != nil {
			return err
		}
		src.Revision = got.commit
		src.Digests[f.local()] = "sha256:" + got.sha256
	}
	for _, f := range c.Files {
		mark := filepath.Join(partial, filepath.FromSlash(f.local())) + markSuffix
		if err := os.Remove(mark); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	for name, text := range c.Written {
		if err := storage.WriteFile(filepath.Join(partial, name), []byte(text)); err != nil {
			return err
		}
	}
	data, err := json.MarshalIndent(src, "", "  ")
	if err != nil {
		return err
	}
	return storage.WriteFile(filepath.Join(partial, sourceFile), append(data, '\n'))
}

// url is the address of one file of a card.
func (h Hub) url(c Card, f File) string {
	base, revision := h.Base, c.Revision
	if base == "" {
		base = DefaultHub
	}
	if revision == "" {
		revision = "main"
	}
	parts := strings.Split(f.Path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.TrimSuffix(base, "/") + "/" + path.Join(c.Repo, "resolve", url.PathEscape(revision), strings.Join(parts, "/"))
}

// client returns the HTTP client, with a limit on how long a server may take
// to begin its answer.
func (h Hub) client() *http.Client {
	if h.Client != nil {
		return h.Client
	}
	return &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		ResponseHeaderTimeout: 30 * time.Second,
		TLSHandshakeTimeout:   15 * time.Second,
		ForceAttemptHTTP2:     true,
	}}
}
