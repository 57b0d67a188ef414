package tune

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
)

// namedList is one list of numbers in a file.
type namedList struct {
	name string
	data []float32
}

// A safetensor is one entry of a safetensors file's header.
type safetensor struct {
	Type    string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// writeLists writes lists in the safetensors format (github.com/huggingface/safetensors): the length of a JSON header, the
// header, the numbers. It returns their checksum.
func writeLists(path string, lists []namedList) (sum uint32, err error) {
	header, at := map[string]safetensor{}, int64(0)
	for _, l := range lists {
		end := at + 4*int64(len(l.data))
		header[l.name] = safetensor{Type: "F32", Shape: []int64{int64(len(l.data))}, Offsets: [2]int64{at, end}}
		at = end
	}
	text, err := json.Marshal(header)
	if err != nil {
		return 0, err
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	file, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	out := bufio.NewWriterSize(file, 1<<20)
	out.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(text))))
	out.Write(text)
	buffer := make([]byte, 0, 1<<16)
	for _, l := range lists {
		for i, v := range l.data {
			buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(v))
			if len(buffer) == cap(buffer) || i == len(l.data)-1 {
				sum = checksum(sum, buffer)
				out.Write(buffer)
				buffer = buffer[:0]
			}
		}
	}
	err = out.Flush() // bufio keeps the first error
	if closed := file.Close(); err == nil {
		err = closed
	}
	return sum, err
}

// readLists reads what writeLists wrote, by name, and the checksum of the numbers.
func readLists(path string) (lists map[string][]float32, sum uint32, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, 0, err
	}
	in := bufio.NewReaderSize(file, 1<<20)
	var size [8]byte
	if _, err := io.ReadFull(in, size[:]); err != nil {
		return nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	n := binary.LittleEndian.Uint64(size[:])
	if n > uint64(info.Size()) {
		return nil, 0, fmt.Errorf("%s: its header is %d bytes of %d", path, n, info.Size())
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(in, text); err != nil {
		return nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	header := map[string]safetensor{}
	if err := json.Unmarshal(text, &header); err != nil {
		return nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	data := make([]byte, info.Size()-8-int64(n))
	if _, err := io.ReadFull(in, data); err != nil {
		return nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	lists = map[string][]float32{}
	for name, t := range header {
		from, to := t.Offsets[0], t.Offsets[1]
		if t.Type != "F32" || from < 0 || from > to || to > int64(len(data)) || (to-from)%4 != 0 {
			return nil, 0, fmt.Errorf("%s: entry %q lies outside the file or is no list of float32", path, name)
		}
		list := make([]float32, (to-from)/4)
		for i := range list {
			list[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[from+4*int64(i):]))
		}
		lists[name] = list
	}
	return lists, checksum(0, data), nil
}
