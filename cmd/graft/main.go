// Command graft fine-tunes pretrained ONNX models: it takes a backbone and
// labelled texts or pictures, and leaves a folder with one ONNX file that is
// proved to answer as it was evaluated.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C kills
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
