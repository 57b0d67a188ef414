# Everything here is plain go; the names only save typing.

.PHONY: test lint demo bench ci

test:
	go test ./...

lint:
	test -z "$$(gofmt -l .)"
	go vet ./...
	go tool staticcheck ./...

demo:
	go run ./cmd/graft demo

bench:
	go test -run '^$$' -bench . -benchmem ./...

ci:
	bash .ci/run
