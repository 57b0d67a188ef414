package dataset

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// imageExtensions are the names by which a file in an image folder counts as a picture.
var imageExtensions = map[string]bool{
	".jpg": true, ".jpeg": true, ".jpe": true, ".png": true, ".gif": true, ".bmp": true, ".webp": true, ".tif": true, ".tiff": true,
}

// maxDepth is how deep a class folder may nest; it also ends loops of symbolic links.
const maxDepth = 16

// readImages reads <split>/<class>/* or <class>/* and tells whether it found any picture.
func (raw *source) readImages(ctx context.Context, root string) (bool, error) {
	folders, err := subfolders(root)
	if err != nil {
		return false, err
	}
	parts := map[Part][]string{}
	for _, name := range folders {
		if part, ok := partOf(name); ok {
			parts[part] = append(parts[part], name)
		}
	}
	// A folder called "test" may be a class among others: splits hold class folders, classes hold pictures.
	if !raw.splitFolders(root, parts) {
		if err := raw.readClasses(ctx, root, "", All); err != nil {
			return false, err
		}
		raw.kind = Images
		return len(raw.splits[All]) > 0, nil
	}
	found := 0
	for _, part := range []Part{Train, Validation, Test} {
		names := parts[part]
		if len(names) == 0 {
			continue
		}
		if len(names) > 1 {
			return false, &RowError{File: root, Err: fmt.Errorf("folders %s are one split; keep one of them", quoteList(names))}
		}
		if err := raw.readClasses(ctx, root, names[0], part); err != nil {
			return false, err
		}
		if len(raw.splits[part]) == 0 {
			return false, &RowError{File: filepath.Join(root, names[0]), Err: fmt.Errorf("%w: no pictures in <class>/*", ErrEmpty)}
		}
		found += len(raw.splits[part])
	}
	raw.kind = Images
	return found > 0, nil
}

// splitFolders tells whether the folders named by split are splits: each holds at least one folder.
func (raw *source) splitFolders(root string, parts map[Part][]string) bool {
	for _, names := range parts {
		for _, name := range names {
			if inner, err := subfolders(filepath.Join(root, name)); err != nil || len(inner) == 0 {
				return false
			}
		}
	}
	return len(parts) > 0
}

// readClasses reads every <class> folder of root/split into a part, classes and files in the order of their names.
func (raw *source) readClasses(ctx context.Context, root, split string, part Part) error {
	classes, err := subfolders(filepath.Join(root, split))
	if err != nil {
		return err
	}
	for _, class := range classes {
		if err := raw.readClass(ctx, root, path.Join(split, class), class, part, 0); err != nil {
			return err
		}
	}
	return nil
}

// readClass reads the pictures below root/rel as examples of a class.
func (raw *source) readClass(ctx context.Context, root, rel, class string, part Part, depth int) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	dir := filepath.Join(root, filepath.FromSlash(rel))
	if depth > maxDepth {
		return &RowError{File: dir, Err: fmt.Errorf("folders nested deeper than %d", maxDepth)}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return &RowError{File: dir, Err: bare(err)}
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		name := path.Join(rel, e.Name())
		file := filepath.Join(dir, e.Name())
		switch mode, err := followed(file, e); {
		case err != nil:
			return err
		case mode.IsDir():
			if err := raw.readClass(ctx, root, name, class, part, depth+1); err != nil {
				return err
			}
		case mode.IsRegular() && imageExtensions[strings.ToLower(filepath.Ext(e.Name()))]:
			raw.splits[part] = append(raw.splits[part], Example[string]{ID: name, Input: file, Label: class})
		default:
			raw.report.Ignored++
		}
	}
	return nil
}

// subfolders lists the folders in dir, links to folders included, hidden ones not.
func subfolders(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, &RowError{File: dir, Err: bare(err)}
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		mode, err := followed(filepath.Join(dir, e.Name()), e)
		if err != nil {
			return nil, err
		}
		if mode.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// followed returns the type of an entry, or of what it links to.
func followed(path string, e fs.DirEntry) (fs.FileMode, error) {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.Type(), nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, &RowError{File: path, Err: bare(err)}
	}
	return info.Mode(), nil
}
