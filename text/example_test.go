package text_test

import (
	"fmt"
	"log"

	"github.com/onnx-graft/graft/text"
)

func ExampleTokenizer_Encode() {
	tokenizer, err := text.LoadTokenizer("testdata/golden/wordpiece.json")
	if err != nil {
		log.Fatal(err)
	}
	e, err := tokenizer.Encode("A small tree", nil, text.EncodeOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(e.IDs)
	fmt.Println(e.Tokens())
	fmt.Println(e.Offsets)
	fmt.Println(tokenizer.Decode(e.IDs, true))
	// Output:
	// [2 36 54 314 307 316 316 55 498 317 3]
	// [[CLS] a s ##m ##a ##l ##l t ##re ##e [SEP]]
	// [{0 0} {0 1} {2 3} {3 4} {4 5} {5 6} {6 7} {8 9} {9 11} {11 12} {0 0}]
	// a small tree
}
