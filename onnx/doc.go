// Package onnx holds ONNX models as data: it reads, checks, edits and writes them, and states what a runtime must do to
// run them. It does not compute anything itself; package ort runs models, package autodiff writes their gradients.
//
// # Reading and writing
//
// [Load] maps a file into memory and returns a [Model], whose structure is Go structs and whose weights alias the map:
// opening a model of any size takes milliseconds and hardly any memory. [Parse] and [LoadFS] read from memory and from
// an [io/fs.FS]. [Model.Save] writes a file whole or not at all, weights beyond 2 GiB into a file of their own;
// [Model.Bytes] and [Model.WriteTo] give the same bytes to a runtime or a digest.
//
// Nothing is lost on the way: what the structs do not show (fields of later versions of the format, training graphs,
// whether an empty string was written out) is carried along, and a file that was loaded and not touched is written back
// byte for byte. Elements of a [Tensor] are raw bytes; [View] shows them as Go numbers and [NewTensor] makes a tensor of
// Go numbers, both without a copy where that can be.
//
// Files are not trusted. What a file states about sizes is compared with the bytes it has, memory is bounded by the
// file's size, and external data must lie in the model's folder. A damaged file is a [MalformedError]; what the format
// allows and this package does not know is an [UnsupportedError]. Load looks at the structure alone, [Check] at the
// meaning: names, order, operators with their arguments and attributes, for opsets 7 to 23.
//
// # Editing
//
// A [Builder] appends nodes to a model's graph, each one right for the model's opset. [Features] lists the tensors that
// make good features, best first, and [MakeBackbone] turns a model into one that computes them; [Cut], [Rename], [Join],
// [MakeBatchDynamic], [DisableTraining] and [Upgrade] do one thing each. Edits are in place; [Model.Clone] makes a copy
// to edit that shares the weights.
//
// # Running
//
// A [Runtime] makes a [Session] of a model, and a session computes named tensors from [Feeds].
package onnx
