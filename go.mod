module github.com/onnx-graft/graft

go 1.26
