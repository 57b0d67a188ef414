package report

import "testing"

// BenchmarkWrite measures the whole of a report of 77 classes.
func BenchmarkWrite(b *testing.B) {
	d := fixtures(b)["text"]
	for b.Loop() {
		if err := Write(b.TempDir(), d); err != nil {
			b.Fatal(err)
		}
	}
}
