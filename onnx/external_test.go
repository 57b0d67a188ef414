package onnx_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/onnxtest"
)

// externalModel returns the bytes of a model whose float32 initializer "w" of shape [2] lies in another file. Entries are
// keys and values in turn.
func externalModel(t testing.TB, entries ...string) []byte {
	t.Helper()
	tensor, file := modelOfOneTensor(modelMessage(t), onnx.Float32)
	fields := tensor.Descriptor().Fields()
	tensor.Mutable(fields.ByName("dims")).List().Append(protoreflect.ValueOfInt64(2))
	tensor.Set(fields.ByName("data_location"), protoreflect.ValueOfEnum(1))
	list := tensor.Mutable(fields.ByName("external_data")).List()
	for i := 0; i < len(entries); i += 2 {
		entry := list.AppendMutable().Message()
		entry.Set(entry.Descriptor().Fields().ByName("key"), protoreflect.ValueOfString(entries[i]))
		entry.Set(entry.Descriptor().Fields().ByName("value"), protoreflect.ValueOfString(entries[i+1]))
	}
	return file()
}

// lay writes files, by their paths below dir; a value that begins with -> makes a symbolic link.
func lay(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if to, ok := strings.CutPrefix(content, "->"); ok {
			if err := os.Symlink(to, path); err != nil {
				t.Skipf("no symbolic links here: %v", err)
			}
		} else if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

const eight = "abcdefgh"

func TestExternalDataIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		entries []string
		files   map[string]string
	}{
		"whole file":       {[]string{"location", "w.bin"}, map[string]string{"m/w.bin": eight}},
		"part":             {[]string{"location", "w.bin", "offset", "4", "length", "8"}, map[string]string{"m/w.bin": "1234" + eight + "5"}},
		"to the end":       {[]string{"location", "w.bin", "offset", "4"}, map[string]string{"m/w.bin": "1234" + eight}},
		"folder below":     {[]string{"location", "a/./b/w.bin"}, map[string]string{"m/a/b/w.bin": eight}},
		"checksum ignored": {[]string{"location", "w.bin", "checksum", "no"}, map[string]string{"m/w.bin": eight}},
		"link within":      {[]string{"location", "w.bin"}, map[string]string{"m/w.bin": "->real.bin", "m/real.bin": eight}},
		"link within, up":  {[]string{"location", "a/w.bin"}, map[string]string{"m/a/w.bin": "->../real.bin", "m/real.bin": eight}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.files["m/model.onnx"] = string(externalModel(t, c.entries...))
			lay(t, dir, c.files)
			m := mustLoad(t, filepath.Join(dir, "m", "model.onnx"))
			if got := string(m.Graph.Initializers[0].Data); got != eight {
				t.Errorf("got %q", got)
			}
			if strings.Contains(name, "link") {
				return // an fs.FS follows links as it likes
			}
			m, err := onnx.LoadFS(os.DirFS(dir), "m/model.onnx")
			if err != nil || string(m.Graph.Initializers[0].Data) != eight {
				t.Errorf("from a file system: %v", err)
			}
		})
	}
}

// A cache of a model hub holds links to blobs in another folder, for the model and its data alike.
func TestExternalDataBesideTheRealModel(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, map[string]string{
		"blobs/1":                   string(externalModel(t, "location", "w.bin")),
		"blobs/2":                   eight,
		"snapshots/main/model.onnx": "->../../blobs/1",
		"snapshots/main/w.bin":      "->../../blobs/2",
	})
	m := mustLoad(t, filepath.Join(dir, "snapshots", "main", "model.onnx"))
	if got := string(m.Graph.Initializers[0].Data); got != eight {
		t.Errorf("got %q", got)
	}
}

func TestExternalDataIsRefused(t *testing.T) {
	secret := map[string]string{"m/w.bin": eight, "secret.bin": eight}
	for name, c := range map[string]struct {
		entries []string
		files   map[string]string
		want    string
	}{
		"parent":             {[]string{"location", "../secret.bin"}, secret, "leaves the model's folder"},
		"parent inside":      {[]string{"location", "a/../../secret.bin"}, secret, "leaves the model's folder"},
		"parent, backslash":  {[]string{"location", `..\secret.bin`}, secret, "leaves the model's folder"},
		"absolute":           {[]string{"location", "/etc/passwd"}, secret, "absolute"},
		"absolute, drive":    {[]string{"location", `C:\secret.bin`}, secret, "absolute"},
		"absolute, share":    {[]string{"location", `\\host\secret.bin`}, secret, "absolute"},
		"the folder":         {[]string{"location", "."}, secret, "leaves the model's folder"},
		"zero byte":          {[]string{"location", "w.bin\x00"}, secret, "leaves the model's folder"},
		"link out":           {[]string{"location", "l.bin"}, map[string]string{"m/l.bin": "->../secret.bin", "secret.bin": eight}, "escapes"},
		"linked folder out":  {[]string{"location", "l/secret.bin"}, map[string]string{"m/l": "->../s", "s/secret.bin": eight}, "escapes"},
		"absolute link":      {[]string{"location", "l.bin"}, map[string]string{"m/l.bin": "->/etc/passwd"}, "escapes"},
		"a folder":           {[]string{"location", "a"}, map[string]string{"m/a/b": eight}, "not a regular file"},
		"missing":            {[]string{"location", "x.bin"}, secret, "not in the model's folder"},
		"no location":        {[]string{"offset", "0"}, secret, "no location"},
		"too short":          {[]string{"location", "w.bin", "offset", "4", "length", "8"}, secret, "bytes 4 to 12"},
		"beyond the end":     {[]string{"location", "w.bin", "offset", "9"}, secret, "has only 8"},
		"negative offset":    {[]string{"location", "w.bin", "offset", "-1"}, secret, "not a number of bytes"},
		"junk length":        {[]string{"location", "w.bin", "length", "8 bytes"}, secret, "not a number of bytes"},
		"length overflows":   {[]string{"location", "w.bin", "offset", "9223372036854775807", "length", "8"}, secret, "too large"},
		"length of a galaxy": {[]string{"location", "w.bin", "length", "9223372036854775807"}, secret, "has only 8"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.files["m/model.onnx"] = string(externalModel(t, c.entries...))
			lay(t, dir, c.files)
			path := filepath.Join(dir, "m", "model.onnx")
			_, err := onnx.Load(path)
			var malformed *onnx.MalformedError
			if !errors.As(err, &malformed) || malformed.Tensor != "w" || malformed.File != path {
				t.Fatalf("got %v, want a MalformedError about w in %s", err, path)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
			if strings.Contains(name, "link") {
				return
			}
			if _, err := onnx.LoadFS(os.DirFS(dir), "m/model.onnx"); !errors.As(err, &malformed) {
				t.Errorf("from a file system: %v", err)
			}
		})
	}
}

func TestExternalDataNeedsAFolder(t *testing.T) {
	var unsupported *onnx.UnsupportedError
	_, err := onnx.Parse(externalModel(t, "location", "w.bin"))
	if !errors.As(err, &unsupported) || unsupported.Tensor != "w" {
		t.Errorf("got %v", err)
	}
}

func TestSaveExternalData(t *testing.T) {
	for name, option := range map[string]onnx.SaveOption{
		"asked for":      onnx.ExternalData(),
		"beyond a limit": onnx.FileLimit(100_000), // stands for 2 GiB
	} {
		t.Run(name, func(t *testing.T) {
			original := mustLoad(t, onnxtest.Shared(t, "assets", "vision-models", "mobilenetv1_0.25_128", "model_qdq.onnx"))
			path := filepath.Join(t.TempDir(), "model.onnx")
			if err := original.Save(path, option); err != nil {
				t.Fatal(err)
			}
			model, data := read(t, path), read(t, path+".data")
			if len(model) > 100_000 || len(data) < 300_000 {
				t.Fatalf("%d bytes of model, %d of data", len(model), len(data))
			}
			m := mustLoad(t, path)
			if !onnx.Same(original, m) {
				t.Error("the model differs from the one saved")
			}
			checkPlaces(t, model, data, m)

			// Again, onto itself, then into one file.
			if err := m.Save(path, option); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(read(t, path), model) || !bytes.Equal(read(t, path+".data"), data) {
				t.Error("saved again, the bytes differ")
			}
			whole := filepath.Join(t.TempDir(), "whole.onnx")
			if err := m.Save(whole); err != nil {
				t.Fatal(err)
			}
			want, err := original.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(read(t, whole), want) {
				t.Error("put together again, the bytes differ")
			}
		})
	}
}

// checkPlaces verifies by Google's library that all data outside is where other readers expect it.
func checkPlaces(t *testing.T, model, data []byte, m *onnx.Model) {
	t.Helper()
	message := dynamicpb.NewMessage(modelMessage(t))
	if err := proto.Unmarshal(model, message); err != nil {
		t.Fatal(err)
	}
	field := func(m protoreflect.Message, name protoreflect.Name) protoreflect.Value {
		return m.Get(m.Descriptor().Fields().ByName(name))
	}
	list := field(field(message, "graph").Message(), "initializer").List()
	for i, w := range m.Graph.Initializers {
		tensor := list.Get(i).Message()
		outside := field(tensor, "data_location").Enum() == 1
		if outside != (len(w.Data) >= 1024) {
			t.Errorf("%s of %d bytes outside: %v", w.Name, len(w.Data), outside)
		}
		if !outside {
			continue
		}
		place := map[string]string{}
		entries := field(tensor, "external_data").List()
		for k := range entries.Len() {
			place[field(entries.Get(k).Message(), "key").String()] = field(entries.Get(k).Message(), "value").String()
		}
		at, err1 := strconv.Atoi(place["offset"])
		n, err2 := strconv.Atoi(place["length"])
		if err1 != nil || err2 != nil || place["location"] != "model.onnx.data" || at%4096 != 0 || n != len(w.Data) ||
			!bytes.Equal(data[at:at+n], w.Data) {
			t.Errorf("%s lies at %v", w.Name, place)
		}
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSaveLeavesNothingBehind(t *testing.T) {
	m := mustLoad(t, onnxtest.Shared(t, "minis", "image", "model.onnx"))
	dir := t.TempDir()
	for _, path := range []string{filepath.Join(dir, "none", "model.onnx"), dir} {
		if err := m.Save(path, onnx.ExternalData()); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("saving to %s: %v", path, err)
		}
	}
	// A graph too large for one file even without its weights.
	var unsupported *onnx.UnsupportedError
	if err := m.Save(filepath.Join(dir, "model.onnx"), onnx.FileLimit(1000)); !errors.As(err, &unsupported) {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestLoadSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, map[string]string{
		"empty.onnx":   "",
		"pointer.onnx": "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
		"page.onnx":    "<!DOCTYPE html><html>404</html>",
		"text.onnx":    "label,text\n1,hello\n",
		"bare.onnx":    "\x08\x07",
	})
	for name, want := range map[string]string{
		"empty.onnx": "empty", "pointer.onnx": "git lfs pull", "page.onnx": "web page",
		"text.onnx": "not an ONNX model", "bare.onnx": "no graph",
	} {
		path := filepath.Join(dir, name)
		_, err := onnx.Load(path)
		var malformed *onnx.MalformedError
		if !errors.As(err, &malformed) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want a MalformedError that says %q", name, err, want)
		}
	}
	if _, err := onnx.Load(filepath.Join(dir, "none.onnx")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := onnx.Load(dir); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := onnx.LoadFS(fstest.MapFS{}, "none.onnx"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file of a file system: %v", err)
	}
}

func TestCloseTwice(t *testing.T) {
	m, err := onnx.Load(onnxtest.Shared(t, "minis", "image", "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := new(onnx.Model).Close(); err != nil {
		t.Error(err)
	}
}
