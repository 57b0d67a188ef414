package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"
)

// scripts are the Python peers, so that the command needs no folder beside it.
//
//go:embed peers/*.py
var scripts embed.FS

// A pythonPeer is a peer written in Python: one of peers/*.py.
type pythonPeer struct {
	*peer
	title    string
	about    string            // the settings it chose for itself
	versions map[string]string // of its libraries
	folder   string
}

// startPython starts the peer of that script.
func (b *bench) startPython(ctx context.Context, title, script string) (*pythonPeer, error) {
	dir, err := os.MkdirTemp("", "graft-bench-peers-*")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(scripts, "peers/*.py")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		data, err := scripts.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(name)), data, 0o666)
		}
		if err != nil {
			return nil, err
		}
	}
	p, err := startPeer(ctx, title, threadEnv(b.threads), b.python, filepath.Join(dir, "peer.py"), script)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return &pythonPeer{peer: p, title: title, folder: dir}, nil
}

// load gives the peer what it works on.
func (p *pythonPeer) load(args any) error {
	var loaded struct {
		About    string            `json:"about"`
		Versions map[string]string `json:"versions"`
	}
	err := p.call("load", args, &loaded)
	p.about, p.versions = loaded.About, loaded.Versions
	return err
}

// contestant lets the peer do one thing, whose wall time is taken here.
func (p *pythonPeer) contestant(do string, args any) contestant {
	return contestant{p.title, func(context.Context) (timing, error) {
		start := time.Now()
		var t timing
		if err := p.call(do, args, &t); err != nil {
			return t, err
		}
		if t.Wall == 0 {
			t.Wall = time.Since(start).Seconds()
		}
		return t, nil
	}}
}

// check compares the peer's last answers with graft's, by way of a file.
func (p *pythonPeer) check(file string, want []float32, tolerance float64) error {
	if err := p.call("save", map[string]any{"file": file}, nil); err != nil {
		return err
	}
	got, _, err := readNpy[float32](file)
	if err != nil {
		return err
	}
	return agree(p.title, got, want, tolerance)
}

// close ends the peer.
func (p *pythonPeer) close() {
	p.peer.close()
	os.RemoveAll(p.folder)
}

// versions are those of all peers' libraries.
func versions(peers []*pythonPeer) map[string]string {
	all := map[string]string{}
	for _, p := range peers {
		for name, version := range p.versions {
			if name == "onnxruntime" { // there is graft's own too
				name = "onnxruntime (Python)"
			}
			maps.Copy(all, map[string]string{name: fmt.Sprint(version)})
		}
	}
	return all
}
