package ort

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Limits of what is fetched and unpacked: the CUDA build is 250 MB packed and 550 MB unpacked.
const (
	maxPackage = 2 << 30
	maxFile    = 2 << 30
)

// A connection must come about quickly, for there are other sources; then the data may take its time, but not stop.
const (
	connectTimeout = 5 * time.Second
	answerTimeout  = 15 * time.Second
	stallTimeout   = 30 * time.Second
)

// downloadArchive fetches an address into dir and returns the file's path.
func downloadArchive(ctx context.Context, url, dir string, log func(string, ...any)) (string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = (&net.Dialer{Timeout: connectTimeout}).DialContext
	transport.TLSHandshakeTimeout = connectTimeout
	transport.ResponseHeaderTimeout = answerTimeout
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %s", url, resp.Status)
	}
	stall := time.AfterFunc(stallTimeout, func() { cancel(fmt.Errorf("no data for %v", stallTimeout)) })
	defer stall.Stop()
	file := filepath.Join(dir, path.Base(url))
	body := &progress{r: resp.Body, total: resp.ContentLength, log: log, alive: func() { stall.Reset(stallTimeout) }}
	n, err := writeFile(file, body, maxPackage)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err == nil && resp.ContentLength >= 0 && n != resp.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	return file, err
}

// A progress reports every tenth of a download.
type progress struct {
	r            io.Reader
	total, done  int64
	reportedTens int64
	log          func(string, ...any)
	alive        func()
}

func (p *progress) Read(buf []byte) (int, error) {
	n, err := p.r.Read(buf)
	p.done += int64(n)
	p.alive()
	if p.total > 0 {
		if tens := p.done * 10 / p.total; tens > p.reportedTens {
			p.reportedTens = tens
			p.log("%d %% of %.1f MB", tens*10, float64(p.total)/1e6)
		}
	}
	return n, err
}

// writeFile writes at most limit bytes of r to a new file; more is an error.
func writeFile(name string, r io.Reader, limit int64) (int64, error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(file, io.LimitReader(r, limit+1))
	if err == nil && n > limit {
		err = fmt.Errorf("%s is larger than %d bytes", filepath.Base(name), limit)
	}
	return n, errors.Join(err, file.Close())
}

// extract takes files out of a zip (also called .whl) or tar.gz. keep says under which bare name a member is written to
// dir, "" for not at all: no member's own path ever reaches the file system. Links and other special members are left.
func extract(pack, dir string, keep func(name string) string) error {
	if strings.HasSuffix(pack, ".tgz") || strings.HasSuffix(pack, ".tar.gz") {
		return extractTar(pack, dir, keep)
	}
	return extractZip(pack, dir, keep)
}

func extractZip(pack, dir string, keep func(string) string) error {
	z, err := zip.OpenReader(pack)
	if err != nil {
		return err
	}
	defer z.Close()
	for _, member := range z.File {
		name := keep(member.Name)
		if name == "" || !member.Mode().IsRegular() {
			continue
		}
		r, err := member.Open()
		if err != nil {
			return err
		}
		err = keepFile(dir, name, r)
		r.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func extractTar(pack, dir string, keep func(string) string) error {
	file, err := os.Open(pack)
	if err != nil {
		return err
	}
	defer file.Close()
	gz, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	for t := tar.NewReader(gz); ; {
		header, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name := keep(header.Name)
		if name == "" || header.Typeflag != tar.TypeReg {
			continue
		}
		if err := keepFile(dir, name, t); err != nil {
			return err
		}
	}
}

// keepFile writes one member.
func keepFile(dir, name string, r io.Reader) error {
	if name != filepath.Base(name) || !filepath.IsLocal(name) {
		return fmt.Errorf("%q is not a file's name", name)
	}
	_, err := writeFile(filepath.Join(dir, name), r, maxFile)
	return err
}
