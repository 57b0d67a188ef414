# Everything here is plain go; the names only save typing.

.PHONY: test lint demo bench accuracy ci

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

# What fine-tuning reaches on real data with default settings; three quarters of an
# hour on two cores. ONLY=trec6 runs what has that in its name.
accuracy:
	GRAFT_SLOW=1 go test -run 'TestAccuracy$(if $(ONLY),$$/$(ONLY))' -v -timeout 3h ./finetune

ci:
	bash .ci/run
