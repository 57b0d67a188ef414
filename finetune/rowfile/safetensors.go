package rowfile

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/onnx-graft/graft/heads"
)

// safetensorsHeader is the room kept for the header's text, which is known at the end; what is left is filled with spaces.
const safetensorsHeader = 1 << 16

// safetensors writes a file of that format (huggingface/safetensors, "Format"): the length of a JSON text, the text, the
// tensors' bytes.
type safetensors struct {
	numbers
	meta   map[string]string
	class  map[string]int32 // of a label
	labels []string
	label  []int32 // of each row
}

func (f *safetensors) begin(cols int) error {
	f.cols = cols
	_, err := f.file.Write(make([]byte, 8+safetensorsHeader))
	return err
}

func (f *safetensors) write(x heads.Matrix, rows []Row) error {
	for _, r := range rows {
		k := int32(-1)
		if r.Label != "" {
			known := false
			if k, known = f.class[r.Label]; !known {
				k = int32(len(f.labels))
				f.class[r.Label] = k
				f.labels = append(f.labels, r.Label)
			}
		}
		f.label = append(f.label, k)
	}
	return f.put(x)
}

// A safetensor is a tensor as the header describes it.
type safetensor struct {
	Type    string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"` // of the first byte and behind the last, from the header's end
}

func (f *safetensors) end(rows int64) error {
	size := rows * f.width()
	var tail []byte
	for _, k := range f.label {
		tail = binary.LittleEndian.AppendUint32(tail, uint32(k))
	}
	if _, err := f.file.Write(tail); err != nil {
		return err
	}
	text, err := f.header(rows, size)
	if err != nil {
		return err
	}
	if len(text) > safetensorsHeader {
		return fmt.Errorf("rowfile: the %d labels take %d bytes, more than a safetensors header here has room for (%d); write Parquet", len(f.labels), len(text), safetensorsHeader)
	}
	head := binary.LittleEndian.AppendUint64(nil, safetensorsHeader)
	head = append(append(head, text...), strings.Repeat(" ", safetensorsHeader-len(text))...)
	_, err = f.file.WriteAt(head, 0)
	return err
}

// header is the text: the metadata, then the tensors without a gap between them.
func (f *safetensors) header(rows, labelsAt int64) ([]byte, error) {
	labels, err := json.Marshal(append([]string{}, f.labels...))
	if err != nil {
		return nil, err
	}
	meta := maps.Clone(f.meta)
	if meta == nil {
		meta = map[string]string{}
	}
	meta["labels"] = string(labels)
	features := safetensor{Type: "F32", Shape: []int64{rows, int64(f.cols)}, Offsets: [2]int64{0, rows * f.width()}}
	if f.half {
		features.Type = "F16"
	}
	return json.Marshal(map[string]any{
		"__metadata__": meta,
		"features":     features,
		"label":        safetensor{Type: "I32", Shape: []int64{rows}, Offsets: [2]int64{labelsAt, labelsAt + 4*rows}},
	})
}
