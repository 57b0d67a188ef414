package finetune

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/onnx-graft/graft/finetune/rowfile"
	"github.com/onnx-graft/graft/finetune/tune"
	"github.com/onnx-graft/graft/onnx/storage"
)

// DefaultCacheLimit is the size above which a cache forgets what was used least recently.
const DefaultCacheLimit = 20 << 30

// A Cache keeps computed rows on disk, by what they were computed from: rows of one model, preprocessing and runtime in
// one folder, each under the digest of its input's content. Adding, reordering or relabelling inputs computes nothing
// again. It may be used by several goroutines and processes at once. Rows are checksummed; a damaged one is computed
// again, with a warning, and so is everything else that can go wrong with a cache: it never stops the work.
type Cache struct {
	Dir   string
	Limit int64 // bytes; above it, what was used least recently goes; 0: [DefaultCacheLimit], negative: none
}

// DefaultCache returns the cache in the user's cache folder.
func DefaultCache() (*Cache, error) {
	dir, err := storage.CacheDir("features")
	if err != nil {
		return nil, err
	}
	return &Cache{Dir: dir}, nil
}

// A CacheEntry is what a cache holds of one model, preprocessing and runtime.
type CacheEntry struct {
	Key           string    `json:"key"`
	Model         string    `json:"model"`
	Preprocessing string    `json:"preprocessing"`
	Runtime       string    `json:"runtime"`
	Rows          int       `json:"rows"`
	Cols          int       `json:"cols"`
	Type          Precision `json:"type"`
	Bytes         int64     `json:"bytes"`
	Used          time.Time `json:"used"`
	Damaged       bool      `json:"damaged,omitempty"` // it cannot be read and will be replaced when it is next needed

	file string // of activations, which have no folder
}

// List returns what the cache holds, most recently used first.
func (c *Cache) List() ([]CacheEntry, error) {
	folders, err := os.ReadDir(c.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("finetune: cache: %w", err)
	}
	var list []CacheEntry
	for _, f := range folders {
		if !f.IsDir() || len(f.Name()) != keyLength {
			continue
		}
		list = append(list, c.entry(f.Name()))
	}
	activations, err := tune.ListKept(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("finetune: cache: %w", err)
	}
	for _, a := range activations {
		list = append(list, CacheEntry{Key: a.Key, Model: "frozen layers of a training", Rows: a.Rows, Bytes: a.Bytes, Used: a.Used, file: a.Path})
	}
	slices.SortFunc(list, func(a, b CacheEntry) int {
		return cmp.Or(b.Used.Compare(a.Used), cmp.Compare(a.Key, b.Key))
	})
	return list, nil
}

// entry describes one folder of the cache.
func (c *Cache) entry(key string) CacheEntry {
	e := CacheEntry{Key: key, Damaged: true}
	dir := filepath.Join(c.Dir, key)
	for _, name := range []string{indexName, rowsName} {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil {
			e.Bytes += info.Size()
			if name == indexName {
				e.Used = info.ModTime()
				e.Rows = max(0, int(info.Size()-headerSize)/entrySize)
			}
		}
	}
	in, err := os.Open(filepath.Join(dir, indexName))
	if err != nil {
		return e
	}
	defer in.Close()
	about, err := readHeader(in)
	if err != nil || about.Key != key {
		return e
	}
	e.Model, e.Preprocessing, e.Runtime, e.Cols, e.Type, e.Damaged = about.Model, about.Preprocessing, about.Runtime, about.Cols, Precision(about.Type), false
	return e
}

// Prune removes what was used least recently until at most limit bytes are left, and returns how many it freed.
func (c *Cache) Prune(limit int64) (freed int64, err error) {
	list, err := c.List()
	if err != nil {
		return 0, err
	}
	var total int64
	for _, e := range list {
		total += e.Bytes
	}
	for _, e := range slices.Backward(list) {
		if total-freed <= limit {
			break
		}
		path := filepath.Join(c.Dir, e.Key)
		if e.file != "" {
			path = e.file
		}
		if err := os.RemoveAll(path); err != nil {
			return freed, fmt.Errorf("finetune: cache: %w", err)
		}
		freed += e.Bytes
	}
	return freed, nil
}

// Clear removes everything, and returns how many bytes it freed.
func (c *Cache) Clear() (freed int64, err error) {
	if err := os.RemoveAll(filepath.Join(c.Dir, memoFolder)); err != nil {
		return 0, fmt.Errorf("finetune: cache: %w", err)
	}
	return c.Prune(-1)
}

// contentKey is the digest of an input's content: the first half of its SHA-256.
type contentKey [16]byte

func keyOf(content []byte) contentKey {
	sum := sha256.Sum256(content)
	return contentKey(sum[:])
}

// cacheAbout says what a folder of the cache holds; it is its header.
type cacheAbout struct {
	Version       int    `json:"version"`
	Key           string `json:"key"`
	Model         string `json:"model"` // for people
	ModelDigest   string `json:"model_digest"`
	Output        string `json:"output"`
	Preprocessing string `json:"preprocessing"`
	Runtime       string `json:"runtime"`
	Type          string `json:"type"` // of a row's numbers
	Cols          int    `json:"cols"`
}

const (
	cacheVersion = 1
	keyLength    = 32
	indexName    = "index"
	rowsName     = "rows"
	headerSize   = 4096
	entrySize    = 24 // content key, the row's checksum, the entry's checksum
)

// key names the folder: a digest of all that rows depend on beside their input.
func (a cacheAbout) key() string {
	h := sha256.New()
	for _, part := range []string{fmt.Sprint(cacheVersion), a.ModelDigest, a.Output, a.Preprocessing, a.Runtime, a.Type} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))[:keyLength]
}

var magic = [8]byte{'g', 'r', 'a', 'f', 't', 'r', 'o', 'w'}

// numberSize is the size of one number of a stored row in bytes.
func (a *cacheAbout) numberSize() int {
	if a.Type == string(Float16) {
		return 2
	}
	return 4
}

// encode returns a row's bytes as they are stored.
func (a *cacheAbout) encode(row []float32) []byte {
	if a.Type == string(Float16) {
		return rowfile.AppendHalf(make([]byte, 0, 2*len(row)), row)
	}
	return bytes.Clone(rowBytes(row))
}

// decode fills a row with what encode returned.
func (a *cacheAbout) decode(row []float32, stored []byte) {
	if a.Type == string(Float16) {
		rowfile.FromHalf(row, stored)
		return
	}
	copy(rowBytes(row), stored)
}

// castagnoli is the polynomial that processors compute.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(data []byte) uint32 { return crc32.Checksum(data, castagnoli) }

// header returns the first bytes of an index: magic, length of the description, the description, zeros, a checksum.
// What is for people only is cut where it is too long.
func (a cacheAbout) header() ([]byte, error) {
	a.Key = a.key()
	for _, text := range []*string{&a.Model, &a.Output, &a.Preprocessing, &a.Runtime} {
		const most = 500
		if len(*text) > most {
			*text = (*text)[:most]
		}
	}
	text, err := json.Marshal(a)
	if err == nil && len(text) > headerSize-16 {
		a.Model, a.Output, a.Preprocessing, a.Runtime = "", "", "", ""
		text, err = json.Marshal(a)
	}
	if err != nil {
		return nil, err
	}
	header := make([]byte, headerSize)
	copy(header, magic[:])
	binary.LittleEndian.PutUint32(header[8:], uint32(len(text)))
	copy(header[12:], text)
	binary.LittleEndian.PutUint32(header[headerSize-4:], checksum(header[:headerSize-4]))
	return header, nil
}

var errDamaged = errors.New("its header is damaged")

// readHeader reads what header wrote.
func readHeader(in *os.File) (cacheAbout, error) {
	var a cacheAbout
	header := make([]byte, headerSize)
	if _, err := in.ReadAt(header, 0); err != nil {
		return a, errDamaged
	}
	n := binary.LittleEndian.Uint32(header[8:])
	if [8]byte(header) != magic || n > headerSize-16 || binary.LittleEndian.Uint32(header[headerSize-4:]) != checksum(header[:headerSize-4]) {
		return a, errDamaged
	}
	if err := json.Unmarshal(header[12:12+n], &a); err != nil || a.Cols <= 0 || a.Version != cacheVersion {
		return a, errDamaged
	}
	return a, nil
}

// open returns the rows kept for a description. It always succeeds: where the folder cannot be used, it says so to warn
// and holds nothing.
func (c *Cache) open(about cacheAbout, warn func(string)) *rowStore {
	about.Version = cacheVersion
	s := &rowStore{cache: c, about: about, path: filepath.Join(c.Dir, about.key()), warn: warn, flushed: time.Now()}
	if err := s.openFiles(); err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			warn(fmt.Sprintf("cache %s: %v; its rows are computed again", s.path, err))
			s.discard()
		}
		s.closeFiles()
		s.about.Cols = 0
	}
	return s
}

// lock keeps other writers out of a folder of the cache for a moment.
func (s *rowStore) lock() (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return storage.Lock(ctx, s.path)
}
