package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// pictureNames are the endings of picture files that are looked for in
// folders.
var pictureNames = []string{".jpg", ".jpeg", ".jpe", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff"}

func isPicture(name string) bool {
	low := strings.ToLower(name)
	for _, ending := range pictureNames {
		if strings.HasSuffix(low, ending) {
			return true
		}
	}
	return false
}

// filesBelow returns the files below a folder that are wanted, in the order of
// their names, hidden ones left out. A file is itself, whatever its name.
func filesBelow(name string, wanted func(name string) bool) ([]string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, &dataError{err}
	}
	if !info.IsDir() {
		return []string{name}, nil
	}
	var files []string
	err = filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != name && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
		case !d.IsDir() && wanted(d.Name()):
			files = append(files, path)
		}
		return nil
	})
	return files, err
}
