# The house's chores. `make check` before each commit; `.ci/run` does the same
# and more, from nothing. Only Go is needed, except that race tests want a C
# compiler and the end-to-end tests skip what is not installed.

FUZZTIME ?= 20000x
RACE_SKIP := weir/internal/(arch|e2e)$$

tool := go tool -modfile=internal/tools/go.mod

export CGO_ENABLED = 0

.PHONY: all
all: build

.PHONY: build
build: ## the binary, static, in bin/
	go build -trimpath -o bin/weir ./cmd/weir

.PHONY: check
check: fmt-check vet lint arch race fresh ## everything that must hold before a commit

.PHONY: test
test: ## the ordinary tests, as the README says
	go test ./...
	go -C internal/tools test ./...
	go -C internal/e2e/grpctest test ./...

# The race detector needs cgo. Left out are the packages whose work happens in
# another process (e2e) or that start nothing (arch).
# -short draws fewer cases of the property tests, which the ordinary tests draw in full.
.PHONY: race
race: ## the tests again, under the race detector
	CGO_ENABLED=1 go test -race -short $$(go list ./... | grep -Ev '$(RACE_SKIP)')

.PHONY: arch
arch: ## the shape of the house: imports, comments, sizes, goroutines
	go test -count=1 ./internal/arch

# Not cached: the tests run a binary that they build themselves, which the test
# cache does not see.
.PHONY: e2e
e2e: ## the built binary in tmux, with real clients
	go test -count=1 ./internal/e2e

.PHONY: vet
vet:
	go vet ./...
	go -C internal/tools vet ./...
	go -C internal/bench vet ./...
	go -C internal/e2e/grpctest vet ./...

.PHONY: lint
lint: ## golangci-lint, configured in .golangci.yml
	$(tool) golangci-lint run ./...
	cd internal/tools && go tool golangci-lint run ./...
	cd internal/bench && go tool -modfile=../tools/go.mod golangci-lint run ./...
	cd internal/e2e/grpctest && go tool -modfile=../../tools/go.mod golangci-lint run ./...

.PHONY: fmt
fmt: ## rewrite the sources in the house's format
	$(tool) golangci-lint fmt

.PHONY: fmt-check
fmt-check:
	$(tool) golangci-lint fmt --diff

# Generated files: the flow's Go code from its schema, and the documents that
# are printed from the tables the program itself runs on.
.PHONY: generate
generate: ## rewrite the generated files
	go -C internal/tools run ./protogen -I ../../proto -o ../../proto flow.proto
	go run ./cmd/weir gendocs docs

.PHONY: fresh
fresh: ## generated files are what their sources make them
	@tmp=$$(mktemp -d) && trap 'rm -rf "$$tmp"' EXIT && \
	mkdir "$$tmp/proto" "$$tmp/docs" && \
	go -C internal/tools run ./protogen -I ../../proto -o "$$tmp/proto" flow.proto && \
	go run ./cmd/weir gendocs "$$tmp/docs" && \
	for dir in proto docs; do \
		test -n "$$(ls "$$tmp/$$dir")" || { echo "fresh: nothing was generated for $$dir"; exit 1; }; \
		for new in "$$tmp/$$dir"/*; do \
			diff -ru "$$dir/$${new##*/}" "$$new" || \
				{ echo "fresh: $$dir/$${new##*/} is stale; run make generate"; exit 1; }; \
		done; \
	done

# Every fuzz target in the tree, one after the other, FUZZTIME each: a number of inputs (20000x),
# since go test now and then reports running out of a time (1m) as a failure of the target.
# Minimizing has the same bound for the same reason.
.PHONY: fuzz
fuzz: ## each fuzz target with FUZZTIME inputs (20000x)
	@list=$$(go test -list '^Fuzz' ./...) || { echo "$$list"; exit 1; }; \
	echo "$$list" | awk '/^Fuzz/ { names[n++] = $$1 } \
		/^ok/ { for (i = 0; i < n; i++) print $$2, names[i] } \
		!/^Fuzz/ { n = 0 }' | \
	while read -r pkg name; do \
		echo "fuzz $$pkg $$name"; \
		go test -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x "$$pkg" </dev/null || exit 1; \
	done

.PHONY: bench
bench: ## ratios against other programs, in one run; a module of its own
	go -C internal/bench run .

.PHONY: bench-scale
bench-scale: ## the same of sessions of 0.1, 1 and 10 million flows; they are kept in SESSIONS, 8 GB, if that is given
	go -C internal/bench run . -only view -scale 100000,1000000,10000000 -sessions "$(abspath $(SESSIONS))"

# The tests that kill captures, damage files, fill disks and draw operations at
# random, with ROUNDS rounds each instead of a handful; of the whole program a tenth.
ROUNDS ?= 100
SOAK := Killed|Damaged|Model|FullDisk|FullFileSystem|Readers

.PHONY: soak
soak: ## faults at random, ROUNDS (100) rounds each
	WEIR_SOAK_ROUNDS=$(ROUNDS) go test -count=1 -timeout 60m -v -run '$(SOAK)' ./store
	go test -count=$$((($(ROUNDS) + 9) / 10)) -timeout 60m -run 'Kill|Disk' ./internal/e2e

.PHONY: clean
clean:
	rm -rf bin

.PHONY: help
help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 12
