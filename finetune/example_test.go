package finetune_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/models/demo"
	"github.com/onnx-graft/graft/models/embedded"
	"github.com/onnx-graft/graft/onnx/onnxgo"
	"github.com/onnx-graft/graft/onnx/ort"
	"github.com/onnx-graft/graft/text"
)

// check keeps the example short.
func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// The whole way, from labelled texts to a proved ONNX model.
func Example() {
	dir, err := os.MkdirTemp("", "graft")
	check(err)
	defer os.RemoveAll(dir)
	check(demo.WriteTexts(dir + "/data"))
	ctx := context.Background()

	rt, err := ort.Open(ctx, ort.Settings{}) // finds or fetches ONNX Runtime
	check(err)
	bert, err := text.OpenFS(embedded.Text(), text.Settings{}) // or text.Open(folder, …)
	check(err)
	backbone, err := finetune.NewBackbone("mini-text", finetune.TextClassification, bert.Model, bert.Feature.Tensor, bert, text.OpenPreprocessor)
	check(err)
	data, err := dataset.Read(ctx, dir+"/data", dataset.Settings{})
	check(err)
	result, err := finetune.Run(ctx, rt, onnxgo.Runtime{}, backbone, data, finetune.Settings{Out: dir + "/out"})
	check(err)

	fmt.Printf("accuracy %.2f on %d rows, proved: %v\n", result.Metrics["eval_accuracy"], result.Rows.Test, result.Verify.ArgmaxEqual)
	// Output: accuracy 0.86 on 100 rows, proved: true
}
