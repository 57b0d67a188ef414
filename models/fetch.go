package models

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/onnx-graft/graft/onnx/storage"
)

// attempts is how often one file is asked for without a single new byte
// before fetch gives up.
const attempts = 3

// markSuffix names the file beside a target or its part that holds the entity
// tag of the content it belongs to. It goes when the whole card is there.
const markSuffix = ".etag"

// remote is what the hub says about a file before sending it.
type remote struct {
	etag   string // identifies the content; "" where the hub gives none
	size   int64  // -1 where the hub gives none
	commit string // the repository's commit, where the hub gives one
}

// fetched is a file that has arrived.
type fetched struct{ commit, sha256 string }

// fetch brings one file to target, going on from what an earlier call left in
// target+".part" if the hub still has that content.
func (h Hub) fetch(ctx context.Context, c Card, f File, target string) (fetched, error) {
	address := h.url(c, f)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return fetched{}, err
	}
	about, err := h.head(ctx, address)
	if err != nil {
		return fetched{}, err
	}
	mark := target + markSuffix
	if old, err := os.ReadFile(mark); err != nil || string(old) != about.etag || about.etag == "" {
		for _, stale := range []string{target, target + ".part"} {
			if err := os.Remove(stale); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fetched{}, err
			}
		}
		if err := storage.WriteFile(mark, []byte(about.etag)); err != nil {
			return fetched{}, err
		}
	}
	if _, err := os.Stat(target); err != nil {
		if err := h.download(ctx, address, f.local(), target+".part", about); err != nil {
			return fetched{}, err
		}
		if err := os.Rename(target+".part", target); err != nil {
			return fetched{}, err
		}
	}
	sum, err := verify(target, f, about.etag)
	if err != nil {
		err = errors.Join(err, os.Remove(target))
	}
	return fetched{about.commit, sum}, err
}

// head asks for a file's identity. Redirects within the hub are followed; one
// that leaves it goes to where the content is stored, and the hub's own answer
// has what is wanted.
func (h Hub) head(ctx context.Context, address string) (remote, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		return remote{}, err
	}
	req.Header.Set("Accept-Encoding", "identity")
	client := *h.client()
	client.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		if next.URL.Host != via[0].URL.Host || len(via) > 5 {
			return http.ErrUseLastResponse
		}
		return nil
	}
	resp, err := client.Do(req)
	if err != nil {
		return remote{}, err
	}
	resp.Body.Close()
	if resp.StatusCode >= 400 {
		return remote{}, &StatusError{address, resp.StatusCode}
	}
	about := remote{size: -1, commit: resp.Header.Get("X-Repo-Commit")}
	about.etag = etag(resp.Header.Get("X-Linked-Etag"))
	if about.etag == "" {
		about.etag = etag(resp.Header.Get("Etag"))
	}
	size := resp.Header.Get("X-Linked-Size")
	if size == "" && resp.StatusCode < 300 {
		size = resp.Header.Get("Content-Length")
	}
	if n, err := strconv.ParseInt(size, 10, 64); err == nil && n >= 0 {
		about.size = n
	}
	return about, nil
}

// etag strips what HTTP puts around an entity tag.
func etag(s string) string {
	return strings.Trim(strings.TrimPrefix(s, "W/"), `"`)
}

// download fills part, asking again for the rest where the connection breaks.
func (h Hub) download(ctx context.Context, address, name, part string, about remote) error {
	f, err := os.OpenFile(part, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	for failed := 0; ; {
		at, err := f.Seek(0, io.SeekEnd)
		if err != nil {
			return err
		}
		if at > 0 && at == about.size {
			break
		}
		if about.size >= 0 && at > about.size {
			at = 0
		}
		done, err := h.rest(ctx, address, name, f, at, about)
		if err == nil {
			break
		}
		var status *StatusError
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.As(err, &status) && status.Status < 500 {
			return err
		}
		if failed++; done > at {
			failed = 0
		}
		if failed == attempts {
			return fmt.Errorf("after %d bytes: %w; the next pull goes on from there", done, err)
		}
		if err := sleep(ctx, time.Duration(failed)*300*time.Millisecond); err != nil {
			return err
		}
	}
	return f.Sync()
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// rest asks for the file from byte at on and writes what comes. It returns
// how many bytes of the file are there.
func (h Hub) rest(ctx context.Context, address, name string, f *os.File, at int64, about remote) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return at, err
	}
	req.Header.Set("Accept-Encoding", "identity")
	if at > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", at))
	}
	resp, err := h.client().Do(req)
	if err != nil {
		return at, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusPartialContent && strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", at)):
	case resp.StatusCode == http.StatusOK: // the server sends all of it
		at = 0
	case resp.StatusCode == http.StatusPartialContent || resp.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return 0, errors.Join(fmt.Errorf("%s: the server cannot go on from byte %d", address, at), f.Truncate(0))
	default:
		return at, &StatusError{address, resp.StatusCode}
	}
	if err := f.Truncate(at); err != nil {
		return at, err
	}
	if _, err := f.Seek(at, io.SeekStart); err != nil {
		return at, err
	}
	body := io.Reader(resp.Body)
	if about.size >= 0 { // one byte more than promised, to notice a longer answer
		body = io.LimitReader(body, about.size-at+1)
	}
	n, err := io.Copy(f, &progressReader{r: body, hub: h, name: name, done: at, total: about.size})
	at += n
	switch {
	case err != nil:
		return at, fmt.Errorf("%s: %w", address, err)
	case about.size >= 0 && at < about.size:
		return at, fmt.Errorf("%s: got %d of %d bytes: %w", address, at, about.size, io.ErrUnexpectedEOF)
	case about.size >= 0 && at > about.size:
		return 0, errors.Join(fmt.Errorf("%s: the server sent more than the %d bytes it announced", address, about.size), f.Truncate(0))
	}
	return at, nil
}

type progressReader struct {
	r           io.Reader
	hub         Hub
	name        string
	done, total int64
}

func (p *progressReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.done += int64(n)
	if p.hub.Progress != nil && n > 0 {
		p.hub.Progress(p.name, p.done, p.total)
	}
	return n, err
}

// verify compares the file with the digests that are known of it and returns
// its SHA-256. A hub's entity tag is the SHA-256 of a large file, or the
// SHA-1 that git gives a small one; any other tag says nothing of the content.
func verify(file string, f File, tag string) (string, error) {
	r, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return "", err
	}
	sum, blob := sha256.New(), sha1.New()
	fmt.Fprintf(blob, "blob %d\x00", info.Size())
	if _, err := io.Copy(io.MultiWriter(sum, blob), r); err != nil {
		return "", err
	}
	got := hexOf(sum)
	checks := []struct{ want, got string }{{strings.ToLower(f.SHA256), got}}
	switch tag = strings.ToLower(tag); {
	case isHex(tag, sha256.Size):
		checks = append(checks, struct{ want, got string }{tag, got})
	case isHex(tag, sha1.Size):
		checks = append(checks, struct{ want, got string }{tag, hexOf(blob)})
	}
	for _, c := range checks {
		if c.want != "" && c.want != c.got {
			return "", &DigestError{f.local(), c.want, c.got}
		}
	}
	return got, nil
}

func hexOf(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

func isHex(s string, bytes int) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == bytes
}
