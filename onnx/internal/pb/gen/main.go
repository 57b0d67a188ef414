// Gen writes the Go code of package pb from a .proto file: go run ./gen IN.proto OUT.go
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: gen IN.proto OUT.go")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run generates the code for the file in and writes it to out.
func run(in, out string) error {
	schema, err := os.Open(in)
	if err != nil {
		return err
	}
	defer schema.Close()
	code, err := generate(schema)
	if err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	return os.WriteFile(out, code, 0o644)
}
