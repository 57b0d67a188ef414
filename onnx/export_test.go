package onnx

import "reflect"

// FileLimit takes the place of the 2 GiB that a file can have.
var FileLimit = fileLimit

// Same reports whether two models are equal in everything, what the package keeps hidden included, but for the file
// their data came from.
func Same(a, b *Model) bool {
	x, y := *a, *b
	x.file, y.file = nil, nil
	return reflect.DeepEqual(&x, &y)
}
