package tune

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Kept says where activations of frozen layers stay between runs, by all that they were computed from: the layers, the
// runtime, the preprocessing, the examples, and the batches they went through in. The same training of other upper layers,
// or with another rate, runs no frozen layer again, and gives the bytes it would have given otherwise. What cannot be kept
// or read costs the time of computing it again and nothing else.
type Kept struct {
	Dir      string
	Identity string // of runtime, preprocessing and examples in their order
}

const (
	scratchName = "graft-activations-*"
	keptSuffix  = ".activations"
)

var magic = [8]byte{'g', 'r', 'a', 'f', 't', 'a', 'c', '1'}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(sum uint32, data []byte) uint32 { return crc32.Update(sum, castagnoli, data) }

// key names activations by what they depend on.
func (k *Kept) key(n *network, b *batcher, view int, rows []int) (string, error) {
	if k == nil {
		return "", nil
	}
	h := sha256.New()
	if _, err := n.prefix.WriteTo(h); err != nil {
		return "", err
	}
	fmt.Fprintf(h, "%d:%s, view %d of seed %d, batches of %d: %d", len(k.Identity), k.Identity, view, b.seed*uint64(min(view, 1)), b.batch, rows)
	return hex.EncodeToString(h.Sum(nil))[:32], nil
}

// find opens what an earlier run has kept; nil where there is nothing that is whole.
func (k *Kept) find(key string, examples int) *activations {
	if k == nil {
		return nil
	}
	path := filepath.Join(k.Dir, key+keptSuffix)
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	a := &activations{file: file, kept: true}
	if err := errors.Join(a.readAbout(), a.verify()); err != nil || len(a.Offsets) != examples {
		file.Close()
		os.Remove(path)
		return nil
	}
	now := time.Now()
	os.Chtimes(path, now, now) // what was used last goes last
	return a
}

// keep completes a file and gives it its name. It stays a file for this run alone where that fails.
func (k *Kept) keep(key string, a *activations) {
	if k == nil {
		return
	}
	if err := a.writeAbout(); err != nil {
		return
	}
	if os.Rename(a.file.Name(), filepath.Join(k.Dir, key+keptSuffix)) == nil {
		a.kept = true
	}
}

// writeAbout appends what is needed to read the rows: a description, its length, its checksum, and a magic number.
func (a *activations) writeAbout() error {
	about, err := json.Marshal(a)
	if err != nil {
		return err
	}
	tail := binary.LittleEndian.AppendUint64(about, uint64(len(about)))
	tail = binary.LittleEndian.AppendUint32(tail, checksum(0, about))
	if _, err := a.file.WriteAt(append(tail, magic[:]...), a.Bytes); err != nil {
		return err
	}
	return a.file.Sync()
}

var errNotWhole = errors.New("tune: the file of activations is not whole")

// readAbout reads what writeAbout wrote.
func (a *activations) readAbout() error {
	const tail = 8 + 4 + 8
	info, err := a.file.Stat()
	if err != nil || info.Size() < tail {
		return errNotWhole
	}
	end := make([]byte, tail)
	if _, err := a.file.ReadAt(end, info.Size()-tail); err != nil || [8]byte(end[12:]) != magic {
		return errNotWhole
	}
	n := binary.LittleEndian.Uint64(end)
	if n > uint64(info.Size()-tail) {
		return errNotWhole
	}
	about := make([]byte, n)
	if _, err := a.file.ReadAt(about, info.Size()-tail-int64(n)); err != nil || checksum(0, about) != binary.LittleEndian.Uint32(end[8:]) {
		return errNotWhole
	}
	if err := json.Unmarshal(about, a); err != nil || a.Bytes != info.Size()-tail-int64(n) {
		return errNotWhole
	}
	return nil
}

// verify reads every row.
func (a *activations) verify() error {
	sum, in := crc32.New(castagnoli), bufio.NewReaderSize(a.file, 1<<20)
	if _, err := io.CopyN(sum, in, a.Bytes); err != nil || sum.Sum32() != a.Sum {
		return errNotWhole
	}
	return nil
}

// A KeptFile is one file of activations.
type KeptFile struct {
	Path  string
	Key   string
	Rows  int // 0 where a killed process left it half-written
	Bytes int64
	Used  time.Time
}

// ListKept returns the files of activations in dir, those a killed process left included.
func ListKept(dir string) ([]KeptFile, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("tune: %w", err)
	}
	var list []KeptFile
	left, _, _ := strings.Cut(scratchName, "*")
	for _, e := range entries {
		key, whole := strings.CutSuffix(e.Name(), keptSuffix)
		if !whole && !strings.HasPrefix(e.Name(), left) {
			continue
		}
		info, err := e.Info()
		if err != nil { // it went meanwhile
			continue
		}
		f := KeptFile{Path: filepath.Join(dir, e.Name()), Key: key, Bytes: info.Size(), Used: info.ModTime()}
		if file, err := os.Open(f.Path); err == nil {
			var a activations
			a.file = file
			if whole && a.readAbout() == nil {
				f.Rows = len(a.Offsets)
			}
			file.Close()
		}
		list = append(list, f)
	}
	return list, nil
}
