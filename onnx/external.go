package onnx

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/onnx-graft/graft/onnx/internal/pb"
)

// A resolver returns the bytes of a file that lies beside the model. The location is as the model states it.
type resolver func(location string) ([]byte, error)

// externalTensor reads a tensor whose elements lie in another file.
func (d *decoder) externalTensor(p *pb.TensorProto, t *Tensor, w spot) error {
	p.Form &^= 1<<pb.TensorDataLocation | 1<<pb.TensorRawData
	t.kept = d.keep(p.Base, nil)
	props, err := d.properties(p.ExternalData)
	if err != nil {
		return err
	}
	at, err := placeOf(props)
	if err != nil {
		return &MalformedError{Where: w.at(), Problem: "external data", Err: err}
	}
	if d.external == nil {
		return unsupported(w.at(), "its data is in another file, %q, and a model in memory has no folder: load it from its file", at.file)
	}
	file, err := d.external(at.file)
	if err != nil {
		return &MalformedError{Where: w.at(), Problem: fmt.Sprintf("external data in %q", at.file), Err: err}
	}
	if at.length < 0 {
		at.length = max(0, int64(len(file))-at.offset)
	}
	if at.offset > int64(len(file)) || at.length > int64(len(file))-at.offset {
		return malformed(w.at(), "its data should be bytes %d to %d of %q, which has only %d: truncated, or of another model",
			at.offset, at.offset+at.length, at.file, len(file))
	}
	end := at.offset + at.length
	t.Data = file[at.offset:end:end]
	return nil
}

// placeOf reads the entries of external_data. The length is -1 where it is not stated: to the end of the file.
func placeOf(props []Property) (place, error) {
	at := place{length: -1}
	for _, p := range props {
		var number *int64
		switch p.Key {
		case "location":
			at.file = p.Value
		case "offset":
			number = &at.offset
		case "length":
			number = &at.length
		}
		if number == nil {
			continue
		}
		n, err := strconv.ParseInt(p.Value, 10, 64)
		if err != nil || n < 0 {
			return at, fmt.Errorf("%s %q is not a number of bytes", p.Key, p.Value)
		}
		*number = n
	}
	switch {
	case at.file == "":
		return at, errors.New("no location")
	case at.offset > math.MaxInt64-max(at.length, 0):
		return at, fmt.Errorf("offset %d and length %d are too large", at.offset, at.length)
	}
	return at, nil
}

// properties is the inverse of placeOf.
func (p place) properties() []Property {
	return []Property{
		{Key: "location", Value: p.file},
		{Key: "offset", Value: strconv.FormatInt(p.offset, 10)},
		{Key: "length", Value: strconv.FormatInt(p.length, 10)},
	}
}

// local returns a location as a clean slash-separated path within the model's folder. What it would take to leave the
// folder is refused on every system, whichever system's paths it is written in.
func local(location string) (string, error) {
	slashed := strings.ReplaceAll(location, `\`, "/")
	if path.IsAbs(slashed) || len(slashed) > 1 && slashed[1] == ':' {
		return "", errors.New("an absolute path; it must lie in the model's folder")
	}
	if clean := path.Clean(slashed); fs.ValidPath(clean) && clean != "." && !strings.Contains(location, "\x00") {
		return clean, nil
	}
	return "", errors.New("the path leaves the model's folder")
}

// A folder finds and maps the files beside a model.
type folder struct {
	model string              // path of the model file
	files map[string]*mapping // by location
}

func (f *folder) find(location string) ([]byte, error) {
	name, err := local(location)
	if err != nil {
		return nil, err
	}
	if m := f.files[name]; m != nil {
		return m.data, nil
	}
	file, err := f.open(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	m, err := mapOpen(file)
	if err != nil {
		return nil, err
	}
	f.files[name] = m
	return m.data, nil
}

// open opens a file of the model's folder. Symbolic links are followed as long as they stay there. Caches that keep
// models as links into a folder of blobs are served too: where the model is itself a link, its data may be a link to a
// file that lies with the real model.
func (f *folder) open(name string) (*os.File, error) {
	dir := filepath.Dir(f.model)
	file, err := openWithin(dir, name)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	realModel, err1 := filepath.EvalSymlinks(f.model)
	realData, err2 := filepath.EvalSymlinks(filepath.Join(dir, name))
	if err1 != nil || err2 != nil {
		return nil, err
	}
	within, err3 := filepath.Rel(filepath.Dir(realModel), realData)
	if err3 != nil || !filepath.IsLocal(within) {
		return nil, err
	}
	return openWithin(filepath.Dir(realModel), within)
}

// openWithin opens a regular file in or below dir; links that leave dir are an error.
func openWithin(dir, name string) (*os.File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	info, err := root.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("not in the model's folder %s: %w", dir, fs.ErrNotExist)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("not a regular file")
	}
	return root.Open(name)
}

// close unmaps all files.
func (f *folder) close() error {
	var all error
	for _, m := range f.files {
		all = errors.Join(all, m.close())
	}
	return all
}

// An fsFolder reads the files beside a model of an fs.FS.
type fsFolder struct {
	fsys  fs.FS
	dir   string
	files map[string][]byte // by location
}

func (f *fsFolder) find(location string) ([]byte, error) {
	name, err := local(location)
	if err != nil {
		return nil, err
	}
	data, ok := f.files[name]
	if !ok {
		if data, err = fs.ReadFile(f.fsys, path.Join(f.dir, name)); err != nil {
			return nil, err
		}
		f.files[name] = data
	}
	return data, nil
}
