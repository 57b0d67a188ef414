package finetune

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// A rowStore is one folder of a [Cache]. The file rows holds row i at i·width; the file index holds, after a header, at
// i·24 the key of row i's content, the row's checksum, and a checksum of both. A row is written before its entry, so
// an entry that is there and whole means a row that is there: a process may be killed at any moment, and one may read
// while another writes. Only one writes at a time; what a killed writer left half-written is written over.
type rowStore struct {
	cache *Cache
	about cacheAbout // Cols is 0 while there are no files
	path  string
	warn  func(string)

	index, rows *os.File
	count       int   // entries when last looked
	free        []int // slots with a damaged entry or row

	mu      sync.Mutex
	pending []pendingRow
	bytes   int
	flushed time.Time
	off     bool // nothing more is written: the disk is full, or not ours
	wrote   bool
}

type pendingRow struct {
	key contentKey
	row []byte // as it is stored
}

// A flush comes after this many bytes or this long, whichever is first.
const (
	flushBytes = 64 << 10
	flushAfter = 500 * time.Millisecond
)

// width is the size of a stored row in bytes.
func (s *rowStore) width() int { return s.about.numberSize() * s.about.Cols }

// cols is D of the rows held, 0 where there are none yet.
func (s *rowStore) cols() int { return s.about.Cols }

// openFiles opens an existing folder, for writing where that is allowed.
func (s *rowStore) openFiles() error {
	var err error
	for _, f := range []struct {
		name string
		file **os.File
	}{{indexName, &s.index}, {rowsName, &s.rows}} {
		path := filepath.Join(s.path, f.name)
		if *f.file, err = os.OpenFile(path, os.O_RDWR, 0); errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
			s.off = true
			*f.file, err = os.Open(path)
		}
		if err != nil {
			return err
		}
	}
	about, err := readHeader(s.index)
	if err != nil {
		return err
	}
	if about.Key != s.about.key() {
		return errDamaged
	}
	s.about.Cols = about.Cols
	if !s.off {
		now := time.Now()
		os.Chtimes(filepath.Join(s.path, indexName), now, now) // what was used last goes last
	}
	return nil
}

// discard removes a folder that cannot be read.
func (s *rowStore) discard() {
	unlock, err := s.lock()
	if err != nil {
		s.off = true
		return
	}
	defer unlock()
	if err := os.RemoveAll(s.path); err != nil {
		s.off = true
	}
}

// create makes the folder and its files, or opens what another process has made meanwhile. The lock is held.
func (s *rowStore) create(cols int) error {
	if err := os.MkdirAll(s.path, 0o777); err != nil {
		return err
	}
	err := s.openFiles()
	if err == nil && s.about.Cols != cols {
		return fmt.Errorf("its rows have %d columns, not %d", s.about.Cols, cols)
	}
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errDamaged) {
		return err
	}
	s.closeFiles()
	s.about.Cols = cols
	header, err := s.about.header()
	if err != nil {
		return err
	}
	if s.rows, err = os.OpenFile(filepath.Join(s.path, rowsName), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666); err != nil {
		return err
	}
	if s.index, err = os.OpenFile(filepath.Join(s.path, indexName), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666); err != nil {
		return err
	}
	_, err = s.index.WriteAt(header, 0)
	return err
}

// add takes a computed row, to be written before long. It copies the row. All rows have the same D.
func (s *rowStore) add(key contentKey, row []float32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.off {
		return
	}
	kept := pendingRow{key, s.about.encode(row)}
	s.pending = append(s.pending, kept)
	s.bytes += len(kept.row)
	if s.bytes >= flushBytes || time.Since(s.flushed) >= flushAfter {
		s.flush()
	}
}

// flush writes what is pending. Where that fails, it says so and gives up writing. The mutex is held.
func (s *rowStore) flush() {
	if len(s.pending) > 0 && !s.off {
		if err := s.write(s.pending); err != nil {
			s.off = true
			s.warn(fmt.Sprintf("cache %s: %v; the run goes on without storing rows", s.path, err))
		}
	}
	s.pending, s.bytes, s.flushed = s.pending[:0], 0, time.Now()
}

// write puts rows into free slots, then at the end.
func (s *rowStore) write(rows []pendingRow) error {
	unlock, err := s.writerLock()
	if err != nil {
		return err
	}
	defer unlock()
	if s.index == nil {
		if err := s.create(len(rows[0].row) / s.about.numberSize()); err != nil {
			return err
		}
	}
	known := map[contentKey]bool{} // what others have written since
	if s.count, err = s.eachEntry(s.count, func(_ int, there entryList) {
		for i := range there.len() {
			if there.ok(i) {
				known[there.key(i)] = true
			}
		}
	}); err != nil {
		return err
	}
	s.wrote = true
	var data, index []byte
	for _, r := range rows {
		if known[r.key] {
			continue
		}
		known[r.key] = true
		row := r.row
		if slot, ok := s.freeSlot(); ok {
			if err := s.put(slot, row, appendEntry(nil, r.key, checksum(row))); err != nil {
				return err
			}
			continue
		}
		data = append(data, row...)
		index = appendEntry(index, r.key, checksum(row))
	}
	if err := s.put(s.count, data, index); err != nil {
		s.rows.Truncate(int64(s.count) * int64(s.width())) // gives the space back; an incomplete tail does no harm
		s.index.Truncate(headerSize + int64(s.count)*entrySize)
		return err
	}
	s.count += len(index) / entrySize
	return nil
}

// writerLock makes the cache's folder and takes its lock.
func (s *rowStore) writerLock() (func(), error) {
	if err := os.MkdirAll(s.cache.Dir, 0o777); err != nil {
		return nil, err
	}
	return s.lock()
}

// put writes rows from a slot on, and then their entries.
func (s *rowStore) put(slot int, rows, entries []byte) error {
	if _, err := s.rows.WriteAt(rows, int64(slot)*int64(s.width())); err != nil {
		return err
	}
	_, err := s.index.WriteAt(entries, headerSize+int64(slot)*entrySize)
	return err
}

// freeSlot returns a damaged slot that no other process has mended meanwhile. The lock is held.
func (s *rowStore) freeSlot() (int, bool) {
	for len(s.free) > 0 {
		slot := s.free[len(s.free)-1]
		s.free = s.free[:len(s.free)-1]
		entry, row := make(entryList, entrySize), make([]byte, s.width())
		if _, err := s.index.ReadAt(entry, headerSize+int64(slot)*entrySize); err != nil {
			continue
		}
		_, err := s.rows.ReadAt(row, int64(slot)*int64(len(row)))
		if err != nil || !entry.ok(0) || checksum(row) != entry.row(0) {
			return slot, true
		}
	}
	return 0, false
}

// close writes what is pending, keeps the cache within its limit, and closes the files.
func (s *rowStore) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flush()
	s.closeFiles()
	limit := s.cache.Limit
	if limit == 0 {
		limit = DefaultCacheLimit
	}
	if s.wrote && limit > 0 {
		if _, err := s.cache.Prune(limit); err != nil {
			s.warn(fmt.Sprintf("cache %s: %v", s.cache.Dir, err))
		}
	}
}

func (s *rowStore) closeFiles() {
	for _, f := range []**os.File{&s.index, &s.rows} {
		if *f != nil {
			(*f).Close()
			*f = nil
		}
	}
}
