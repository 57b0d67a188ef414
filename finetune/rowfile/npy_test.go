package rowfile

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/onnx-graft/graft/onnx"
)

// numpy.save of numpy.arange(6, dtype="<f4").reshape(1, 2, 3), NumPy 2.4.
const savedByNumPy = "934e554d5059010076007b276465736372273a20273c6634272c2027666f727472616e5f6f72646572273a2046616c73652c20277368617065273a2028312c20322c2033292c207d202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020200a000000000000803f0000004000004040000080400000a040"

func TestNPYAsNumPyWritesIt(t *testing.T) {
	want, err := hex.DecodeString(savedByNumPy)
	if err != nil {
		t.Fatal(err)
	}
	values := onnx.NewTensor("x", []float32{0, 1, 2, 3, 4, 5}, 1, 2, 3)
	got, err := NPYHeader(values.Type, values.Shape...)
	if err != nil {
		t.Fatal(err)
	}
	if got = append(got, values.Data...); !bytes.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if _, err := NPYHeader(onnx.String, 1); err == nil {
		t.Error("strings were accepted")
	}
}
