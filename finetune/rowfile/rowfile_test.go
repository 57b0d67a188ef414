package rowfile

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/heads"
	"github.com/parquet-go/parquet-go"
)

// sample is a matrix and what its rows are.
func sample(n, d int) (heads.Matrix, []Row) {
	rng := rand.New(rand.NewPCG(7, uint64(n)))
	x := heads.NewMatrix(n, d)
	for i := range x.Data {
		x.Data[i] = float32(rng.NormFloat64())
	}
	rows := make([]Row, n)
	for i := range rows {
		rows[i] = Row{ID: "train.tsv:" + strconv.Itoa(i+2), Split: "train", Label: []string{"", "täx \"q\"", "b,\tc"}[i%3]}
	}
	return x, rows
}

func write(t *testing.T, path string, s Settings, x heads.Matrix, rows []Row) {
	t.Helper()
	w, err := Create(path, s)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for at := 0; at < x.Rows; at += 7 {
		n := min(7, x.Rows-at)
		if err := w.Write(heads.Matrix{Rows: n, Cols: x.Cols, Data: x.Data[at*x.Cols : (at+n)*x.Cols]}, rows[at:at+n]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Fatal("the file is there before Commit")
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
}

// NPY as NumPy's documentation lays it out, taken apart by hand.
func TestNPYTakenApart(t *testing.T) {
	x, rows := sample(23, 5)
	path := filepath.Join(t.TempDir(), "f.npy")
	write(t, path, Settings{}, x, rows)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := int(binary.LittleEndian.Uint16(data[8:]))
	dict := string(data[10 : 10+n])
	if string(data[:8]) != "\x93NUMPY\x01\x00" || (10+n)%64 != 0 || !strings.HasPrefix(dict, "{'descr': '<f4', 'fortran_order': False, 'shape': (23, 5), }") || dict[n-1] != '\n' {
		t.Fatalf("header %q", data[:10+n])
	}
	body := data[10+n:]
	if len(body) != 4*len(x.Data) {
		t.Fatalf("%d bytes", len(body))
	}
	for i, want := range x.Data {
		if got := math.Float32frombits(binary.LittleEndian.Uint32(body[4*i:])); got != want {
			t.Fatalf("number %d is %g, want %g", i, got, want)
		}
	}
	checkSidecar(t, path, rows)
}

func checkSidecar(t *testing.T, path string, want []Row) {
	t.Helper()
	text, err := os.ReadFile(Sidecar(path))
	if err != nil {
		t.Fatal(err)
	}
	var got []Row
	for line := range strings.Lines(string(text)) {
		var r Row
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the sidecar has %d rows, or others: %+v", len(got), got[:1])
	}
}

func TestSafetensorsTakenApart(t *testing.T) {
	for _, half := range []bool{false, true} {
		x, rows := sample(23, 5)
		path := filepath.Join(t.TempDir(), "f.safetensors")
		write(t, path, Settings{Half: half, Meta: map[string]string{"backbone": "b"}}, x, rows)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		n := binary.LittleEndian.Uint64(data)
		var head map[string]struct {
			Type    string `json:"dtype"`
			Shape   []int
			Offsets []int `json:"data_offsets"`
			Labels  string
			Back    string `json:"backbone"`
		}
		if err := json.Unmarshal(data[8:8+n], &head); err != nil {
			t.Fatal(err)
		}
		body := data[8+n:]
		features, label, meta := head["features"], head["label"], head["__metadata__"]
		width := map[bool]int{false: 4, true: 2}[half]
		if features.Type != map[bool]string{false: "F32", true: "F16"}[half] || !slices.Equal(features.Shape, []int{23, 5}) || !slices.Equal(features.Offsets, []int{0, 23 * 5 * width}) ||
			label.Type != "I32" || label.Offsets[0] != features.Offsets[1] || label.Offsets[1] != len(body) || meta.Back != "b" {
			t.Fatalf("%+v of %d bytes", head, len(body))
		}
		var names []string
		if err := json.Unmarshal([]byte(meta.Labels), &names); err != nil {
			t.Fatal(err)
		}
		for i, r := range rows {
			k := int32(binary.LittleEndian.Uint32(body[label.Offsets[0]+4*i:]))
			if r.Label == "" && k != -1 || r.Label != "" && names[k] != r.Label {
				t.Fatalf("row %d has label %d, want %q of %q", i, k, r.Label, names)
			}
			for j := range x.Cols {
				var got float32
				if half {
					got = slowHalf(binary.LittleEndian.Uint16(body[2*(i*x.Cols+j):]))
				} else {
					got = math.Float32frombits(binary.LittleEndian.Uint32(body[4*(i*x.Cols+j):]))
				}
				want := x.Row(i)[j]
				if !half && got != want || math.Abs(float64(got-want)) > math.Abs(float64(want))/1024 {
					t.Fatalf("row %d, column %d is %g, want %g", i, j, got, want)
				}
			}
		}
		checkSidecar(t, path, rows)
	}
}

// slowHalf reads a binary16 by its definition.
func slowHalf(h uint16) float32 {
	sign := math.Pow(-1, float64(h>>15))
	exponent, fraction := float64(h>>10&0x1f), float64(h&0x3ff)
	if exponent == 0 {
		return float32(sign * math.Pow(2, -14) * fraction / 1024)
	}
	if exponent == 31 {
		if fraction != 0 {
			return float32(math.NaN())
		}
		return float32(math.Inf(int(sign)))
	}
	return float32(sign * math.Pow(2, exponent-15) * (1 + fraction/1024))
}

func TestHalfOfEveryPattern(t *testing.T) {
	var finite []float32
	for h := range 1 << 16 {
		want, got := slowHalf(uint16(h)), single(uint16(h))
		if got != want && !(got != got && want != want) || math.Signbit(float64(got)) != (h>>15 == 1) {
			t.Fatalf("%04x is %g, want %g", h, got, want)
		}
		if want == want && half(want) != uint16(h) {
			t.Fatalf("%g becomes %04x, want %04x", want, half(want), h)
		}
		if h < 0x7c00 {
			finite = append(finite, want)
		}
	}
	for i := 1; i < len(finite); i++ { // what lies between two goes to the nearer, the middle to the even
		low, high := finite[i-1], finite[i]
		middle := float32((float64(low) + float64(high)) / 2)
		even := uint16(i - 1 + (i-1)&1)
		if half(middle) != even || half(math.Nextafter32(middle, 0)) != uint16(i-1) || half(math.Nextafter32(middle, high)) != uint16(i) {
			t.Fatalf("between %g and %g", low, high)
		}
	}
	if FitsHalf([]float32{1, 65520}) || !FitsHalf([]float32{65504, -65504, 65519}) || FitsHalf([]float32{float32(math.NaN())}) {
		t.Error("the largest half")
	}
}

func TestParquetReadBack(t *testing.T) {
	x, rows := sample(700, 12)
	path := filepath.Join(t.TempDir(), "f.parquet")
	write(t, path, Settings{Meta: map[string]string{"feature": "f"}}, x, rows)
	type any struct {
		ID       string    `parquet:"id"`
		Split    string    `parquet:"split"`
		Label    *string   `parquet:"label,optional"`
		Features []float32 `parquet:"features,list"`
	}
	got, err := parquet.ReadFile[any](path)
	if err != nil || len(got) != x.Rows {
		t.Fatalf("%d rows, %v", len(got), err)
	}
	for i, r := range got {
		label := ""
		if r.Label != nil {
			label = *r.Label
		}
		if (Row{r.ID, r.Split, label}) != rows[i] || !slices.Equal(r.Features, x.Row(i)) {
			t.Fatalf("row %d: %+v", i, r)
		}
	}
}

func TestOpenReadsWhatWasWritten(t *testing.T) {
	for _, name := range []string{"f.npy", "f.safetensors"} {
		for _, halved := range []bool{false, true} {
			x, rows := sample(31, 3)
			path := filepath.Join(t.TempDir(), name)
			write(t, path, Settings{Half: halved}, x, rows)
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if halved {
				for i, v := range x.Data {
					x.Data[i] = single(half(v))
				}
			}
			if f.Matrix.Rows != 31 || f.Matrix.Cols != 3 || !slices.Equal(f.Matrix.Data, x.Data) {
				t.Errorf("%s, half %v: other rows", name, halved)
			}
			f.Close()
			whole, _ := os.ReadFile(path)
			for n := 0; n < len(whole); n += 1 + n/40 { // cut anywhere: an error, not a panic
				if err := os.WriteFile(path, whole[:n], 0o666); err != nil {
					t.Fatal(err)
				}
				if f, err := Open(path); err == nil && (name == "f.npy" || n < 8+safetensorsHeader+31*3*2) {
					t.Errorf("%s cut to %d opens: %d×%d", name, n, f.Matrix.Rows, f.Matrix.Cols)
				}
			}
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := Create(filepath.Join(dir, "f.csv"), Settings{}); err == nil || !strings.Contains(err.Error(), "npy") {
		t.Errorf("an unknown format: %v", err)
	}
	if _, err := Create(filepath.Join(dir, "f.parquet"), Settings{Half: true}); err == nil {
		t.Error("half precision in Parquet")
	}
	if _, err := Create(filepath.Join(dir, "none", "f.npy"), Settings{}); err == nil {
		t.Error("a folder that is not there")
	}
	w, err := Create(filepath.Join(dir, "f.npy"), Settings{Half: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err == nil {
		t.Error("a file without rows")
	}
	w, _ = Create(filepath.Join(dir, "f.npy"), Settings{Half: true})
	x := heads.Matrix{Rows: 1, Cols: 2, Data: []float32{1, 70000}}
	if err := w.Write(x, []Row{{ID: "x:1"}}); err == nil || !strings.Contains(err.Error(), "x:1") {
		t.Errorf("beyond half precision: %v", err)
	}
	if err := w.Write(heads.NewMatrix(1, 3), []Row{{}}); err == nil {
		t.Error("other columns")
	}
	if err := w.Write(heads.NewMatrix(1, 2), nil); err == nil {
		t.Error("no descriptions")
	}
	w.Abort()
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
